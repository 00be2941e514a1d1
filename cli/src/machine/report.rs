//! What was seen of a folder, as a report. Pure.

use super::command;
use super::look::{Readiness, Seen, stores};
use crate::report::{Part, Report, State, Trouble};
use crate::run_file::RunFile;

/// The report.
pub(crate) fn report(seen: &Seen) -> Report {
    let shop = format!("in {}", seen.dir.display());
    let release = seen
        .applied
        .as_ref()
        .and_then(|applied| applied.current.resource["spec"]["version"].as_str())
        .map(str::to_owned);
    let nothing = |state, trouble| Report {
        shop: shop.clone(),
        state,
        url: None,
        release: None,
        rollout: None,
        parts: Vec::new(),
        troubles: vec![trouble],
        events: Vec::new(),
    };
    match (seen.owner, &seen.run) {
        (Some(_), Some(run)) => {
            let (mut parts, mut troubles) = (Vec::new(), Vec::new());
            services(seen, run, &mut parts, &mut troubles);
            let services_are_ready = troubles.is_empty();
            edge(seen, services_are_ready, &mut parts, &mut troubles);
            store_processes(seen, run, &mut parts, &mut troubles);
            // What the others wait for comes first.
            troubles.reverse();
            let state = if troubles.is_empty() {
                State::Ready
            } else {
                State::NotReady
            };
            Report {
                shop,
                state,
                url: Some(run.url.clone()),
                release,
                rollout: None,
                parts,
                troubles,
                events: Vec::new(),
            }
        }
        (Some(pid), None) => nothing(
            State::NotReady,
            Trouble {
                what: format!("it is starting or stopping (pid {pid})"),
                since: None,
                next: format!(
                    "wait a moment; {} shows how far it is",
                    command("logs bigtix", &seen.dir)
                ),
            },
        ),
        (None, run) => nothing(State::Stopped, stopped(seen, run.as_ref())),
    }
}

fn stopped(seen: &Seen, left: Option<&RunFile>) -> Trouble {
    let dir = seen.dir.display();
    let what = match (left, &seen.applied) {
        (Some(run), _) => format!(
            "BigTix does not run on {dir} any more: process {} ended without being asked to",
            run.pid
        ),
        (None, Some(_)) => format!("BigTix does not run on {dir}; it was stopped, and its data is there"),
        (None, None) => format!("BigTix has never run on {dir}"),
    };
    let start = command("up --detach", &seen.dir);
    let next = match (left, &seen.applied) {
        (Some(_), _) => format!(
            "{} says why, {start} starts it again",
            command("logs bigtix", &seen.dir)
        ),
        (None, Some(_)) => format!("{start}, with the file of its resource if it has one"),
        (None, None) => format!("{start}, or name the folder that is meant with --data"),
    };
    Trouble {
        what,
        since: None,
        next,
    }
}

fn services(seen: &Seen, run: &RunFile, parts: &mut Vec<Part>, troubles: &mut Vec<Trouble>) {
    let order = crate::services::HELD.iter().map(|held| held.service.as_str());
    for (name, service) in order.filter_map(|name| Some((name, run.services.get(name)?))) {
        let found = seen.services.get(name).map(Vec::as_slice).unwrap_or_default();
        let ready = found.iter().filter(|it| **it == Readiness::Ready).count();
        let why = found.iter().find_map(why);
        let part = Part {
            name: name.to_owned(),
            version: Some(service.version.clone()),
            ready: count(ready),
            wanted: count(service.instances.len()),
            detail: why.clone(),
        };
        if !part.is_ready() {
            troubles.push(Trouble {
                what: format!(
                    "{name} is not ready: {}",
                    why.unwrap_or_else(|| "nothing answers".to_owned())
                ),
                since: None,
                next: format!(
                    "{} shows what it says",
                    command(&format!("logs {name}"), &seen.dir)
                ),
            });
        }
        parts.push(part);
    }
}

fn why(readiness: &Readiness) -> Option<String> {
    match readiness {
        Readiness::Ready => None,
        Readiness::NotReady(reasons) if reasons.is_empty() => Some("it is starting or stopping".to_owned()),
        Readiness::NotReady(reasons) => Some(format!("{} does not answer it", reasons.join(", "))),
        Readiness::Silent => Some("it does not answer".to_owned()),
    }
}

/// The edge is ready when its services are; it is a trouble of its own only when they are.
fn edge(seen: &Seen, services_are_ready: bool, parts: &mut Vec<Part>, troubles: &mut Vec<Trouble>) {
    let edge = seen.edge.as_ref().unwrap_or(&Readiness::Silent);
    let is_ready = *edge == Readiness::Ready;
    parts.push(Part {
        name: "edge".to_owned(),
        version: None,
        ready: u32::from(is_ready),
        wanted: 1,
        detail: why(edge),
    });
    if !is_ready && services_are_ready {
        troubles.push(Trouble {
            what: format!("the edge is not ready: {}", why(edge).unwrap_or_default()),
            since: None,
            next: format!("{} shows what it says", command("logs bigtix", &seen.dir)),
        });
    }
}

fn store_processes(seen: &Seen, run: &RunFile, parts: &mut Vec<Part>, troubles: &mut Vec<Trouble>) {
    for (name, pid) in stores(run) {
        let lives = seen.living.contains(&name);
        parts.push(Part {
            name: name.to_owned(),
            version: None,
            ready: u32::from(lives),
            wanted: 1,
            detail: pid.filter(|_| lives).map(|pid| format!("pid {pid}")),
        });
        if !lives {
            troubles.push(Trouble {
                what: format!("{name} has ended and is being started again"),
                since: None,
                next: format!(
                    "{} shows why, should it happen again",
                    command(&format!("logs {name}"), &seen.dir)
                ),
            });
        }
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::applied::{Applied, Asked};
    use crate::run_file::{MongodbRun, ServiceRun, UrlRun};
    use serde_json::json;
    use std::collections::BTreeMap;

    fn at(pid: u32) -> UrlRun {
        UrlRun {
            pid: Some(pid),
            url: format!("http://127.0.0.1:{pid}"),
        }
    }

    fn seen() -> Seen {
        let service = |pid| ServiceRun {
            pid: Some(pid),
            url: at(pid).url,
            version: "1.0.0".into(),
            instances: vec![at(pid)],
        };
        Seen {
            dir: "./.bigtix".into(),
            owner: Some(1),
            run: Some(RunFile {
                url: "http://127.0.0.1:8080".into(),
                pid: 1,
                services: BTreeMap::from([("orders".into(), service(2)), ("auth".into(), service(3))]),
                mongodb: MongodbRun {
                    pid: Some(4),
                    uri: "mongodb://secret".into(),
                },
                nats: at(5),
                redis: at(6),
                stripe: None,
            }),
            applied: Some(Applied {
                current: Asked {
                    resource: json!({"spec": {"version": "1.0.0"}}),
                    separate: false,
                    port: 8080,
                },
                previous: None,
            }),
            edge: Some(Readiness::Ready),
            services: BTreeMap::from([
                ("auth".into(), vec![Readiness::Ready]),
                ("orders".into(), vec![Readiness::Ready]),
            ]),
            living: vec!["mongodb", "nats", "redis"],
        }
    }

    #[test]
    fn a_shop_in_which_everything_answers_is_ready() {
        let report = report(&seen());
        assert_eq!((report.state, report.troubles), (State::Ready, vec![]));
        let names: Vec<_> = report.parts.iter().map(|part| part.name.as_str()).collect();
        assert_eq!(names, ["auth", "orders", "edge", "mongodb", "nats", "redis"]);
        assert_eq!(report.release.as_deref(), Some("1.0.0"));
    }

    #[test]
    fn what_the_others_wait_for_is_said_first() {
        let mut seen = seen();
        seen.living = vec!["nats", "redis"];
        let waits = Readiness::NotReady(vec!["mongodb".into()]);
        seen.services.insert("orders".into(), vec![waits]);
        seen.edge = Some(Readiness::NotReady(vec!["orders".into()]));
        let report = report(&seen);
        let said: Vec<_> = report
            .troubles
            .iter()
            .map(|trouble| trouble.what.as_str())
            .collect();
        assert_eq!(
            said,
            [
                "mongodb has ended and is being started again",
                "orders is not ready: mongodb does not answer it"
            ]
        );
        assert_eq!(report.troubles[1].next, "bigtix logs orders shows what it says");
        assert_eq!(report.state, State::NotReady);
    }

    #[test]
    fn a_shop_that_does_not_run_says_why_it_does_not() {
        let stopped = Seen {
            owner: None,
            ..seen()
        };
        let report = |seen: &Seen| super::report(seen);
        let killed = report(&stopped);
        assert_eq!(killed.state, State::Stopped);
        assert!(killed.troubles[0].what.contains("ended without being asked to"));
        let asked = report(&Seen {
            run: None,
            ..stopped.clone()
        });
        assert!(asked.troubles[0].what.contains("it was stopped"));
        let never = report(&Seen {
            run: None,
            applied: None,
            dir: "/elsewhere".into(),
            ..stopped
        });
        assert!(never.troubles[0].what.contains("has never run on /elsewhere"));
        assert!(
            never.troubles[0]
                .next
                .contains("bigtix up --detach --data /elsewhere")
        );
        let starting = report(&Seen { run: None, ..seen() });
        assert!(starting.troubles[0].what.contains("starting or stopping (pid 1)"));
    }

    #[test]
    fn no_credential_is_in_a_report() {
        let report = report(&seen());
        let told = crate::output::json(&report) + &report.status(crate::output::Paint::Plain);
        assert!(!told.contains("secret"), "{told}");
    }
}
