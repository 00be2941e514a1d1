//! The plan and the verdict of the check, for people.

use std::fmt::Write;

use semver::Version;

use super::changelog::Due;
use super::changes::few;
use super::plan::{Baseline, Chapter, Commit, Image, Plan, Service};

const NOTHING_PUBLISHED: &str = "nothing was published yet: no tag such as v1.0.0 is reachable from HEAD";

/// The whole plan.
pub(super) fn plan(plan: &Plan) -> String {
    let mut text = String::new();
    let Plan {
        baseline,
        release,
        reachable_from,
        is_reachable,
        services,
        changelogs,
        writes,
        publishes,
        stays,
        refusals,
        notes,
    } = plan;
    let head = match baseline {
        Baseline::Release { version, .. } if version == release => {
            format!("release {release}, published as v{version}")
        }
        Baseline::Release { version, .. } => {
            let reachable = match is_reachable {
                Some(true) => "reachable",
                _ => "not reachable",
            };
            format!(
                "release {release}, after v{version} and {reachable} from it in one step ({reachable_from})"
            )
        }
        Baseline::Nothing => {
            format!(
                "{NOTHING_PUBLISHED}\nrelease {release} would be the first, so everything would be published"
            )
        }
        Baseline::Unknown { reason } => {
            format!("release {release}, compared with nothing: {reason}")
        }
    };
    line(&mut text, &head);
    line(&mut text, "");
    table(&mut text, baseline, services);
    let would_be = if refusals.is_empty() {
        "would be published"
    } else {
        "would be published, were nothing refused"
    };
    for (what, images) in [(would_be, publishes), ("stays", stays)] {
        if !images.is_empty() {
            line(&mut text, &format!("{what}: {}", names(images)));
        }
    }
    if publishes.is_empty() && matches!(baseline, Baseline::Release { .. }) {
        line(&mut text, "nothing would be published");
    }
    if !writes.is_empty() {
        let writes = writes.join(", ");
        line(&mut text, &format!("cargo xtask release would write: {writes}"));
    }
    sections(&mut text, changelogs);
    offers(&mut text, services);
    for note in notes {
        line(&mut text, &format!("note: {note}"));
    }
    for refusal in refusals {
        line(&mut text, &format!("refused: {}", refusal.what));
        line(&mut text, &format!("    next: {}", refusal.next));
    }
    text
}

/// What was written, and which changelogs a person has to go on with.
pub(super) fn written(plan: &Plan) -> String {
    let mut text = String::new();
    match plan.writes.as_slice() {
        [] => line(&mut text, "release: everything is written already"),
        paths => line(&mut text, &format!("release: {} written", paths.join(", "))),
    }
    for Chapter {
        path,
        version,
        is_published: _,
        unreleased: _,
        due,
    } in &plan.changelogs
    {
        match due {
            Due::Entries => line(&mut text, &format!("release: {path} says nothing of {version}")),
            Due::Nothing | Due::Section => {}
        }
    }
    if let Baseline::Unknown { reason } = &plan.baseline {
        line(&mut text, &format!("release: no changelog is written: {reason}"));
    }
    text
}

/// What the check says: what is refused, or in a line what was compared.
pub(super) fn check(plan: &Plan) -> String {
    let mut text = String::new();
    for refusal in &plan.refusals {
        line(&mut text, &refusal.what);
        line(&mut text, &format!("    next: {}", refusal.next));
    }
    let verdict = match &plan.baseline {
        _ if !plan.refusals.is_empty() => {
            format!(
                "{} refused; cargo xtask release plan says more",
                plan.refusals.len()
            )
        }
        Baseline::Nothing => NOTHING_PUBLISHED.to_owned(),
        Baseline::Unknown { reason } => format!("compared with nothing: {reason}"),
        Baseline::Release { version, .. } => {
            let changed = plan.services.iter().filter(|service| !service.changes.is_empty());
            let count = plan.services.len();
            format!(
                "{count} services compared with v{version}, {} of them changed, nothing refused",
                changed.count()
            )
        }
    };
    line(&mut text, &format!("release: {verdict}"));
    text
}

fn table(text: &mut String, baseline: &Baseline, services: &[Service]) {
    let width = services.iter().map(|service| service.name.len()).max();
    let width = width.unwrap_or_default().max("service".len());
    let row = |name: &str, published: &str, now: &str, what: &str| {
        format!("{name:width$}  {published:12}  {now:12}  {what}")
    };
    line(text, &row("service", "published", "now", ""));
    for service in services {
        let Service {
            name,
            published,
            version,
            changes,
            commits: _,
        } = service;
        let what = match (baseline, published, version) {
            (Baseline::Nothing | Baseline::Unknown { .. }, ..) => String::new(),
            (_, _, None) => "is no service any more".to_owned(),
            (_, None, _) => "is new".to_owned(),
            _ if changes.is_empty() => "unchanged".to_owned(),
            _ => format!("changed: {}", few(changes)),
        };
        let said = |version: &Option<Version>| version.as_ref().map_or("-".to_owned(), ToString::to_string);
        line(text, &row(name, &said(published), &said(version), &what));
    }
    line(text, "");
}

/// What changelogs would get.
fn sections(text: &mut String, changelogs: &[Chapter]) {
    for chapter in changelogs {
        let Chapter {
            path,
            version,
            is_published: _,
            unreleased,
            due,
        } = chapter;
        let entries = if *unreleased == 1 { "entry" } else { "entries" };
        match due {
            Due::Section => line(
                text,
                &format!("    {path}: {unreleased} unreleased {entries} under {version}"),
            ),
            // It is refused.
            Due::Entries | Due::Nothing => {}
        }
    }
}

/// What a person may take into the changelog of a service.
fn offers(text: &mut String, services: &[Service]) {
    for Service {
        name,
        published: _,
        version: _,
        changes: _,
        commits,
    } in services
    {
        if commits.is_empty() {
            continue;
        }
        line(text, &format!("commits for the changelog of {name}:"));
        for Commit { id, subject } in commits {
            line(text, &format!("    - {subject} ({id})"));
        }
    }
}

fn names(images: &[Image]) -> String {
    let names: Vec<String> = images
        .iter()
        .map(|Image { name, version }| format!("{name} {version}"))
        .collect();
    names.join(", ")
}

fn line(text: &mut String, line: &str) {
    // A string takes everything.
    let _ = writeln!(text, "{}", line.trim_end());
}

#[cfg(test)]
mod tests {
    use super::super::changelog::Told;
    use super::super::changes::Change;
    use super::super::plan::{Comparison, Present};
    use super::*;

    fn planned(baseline: Baseline, release: &str, orders: &str) -> Plan {
        let tokio = Change::Dependency {
            name: "tokio".to_owned(),
            version: "1.2.0".to_owned(),
            before: Some("1.1.0".to_owned()),
        };
        let changes = match baseline {
            Baseline::Release { .. } => vec![tokio],
            Baseline::Nothing | Baseline::Unknown { .. } => Vec::new(),
        };
        let told = |unreleased| Told {
            has_section: true,
            unreleased,
        };
        let orders = Present {
            version: orders.parse().unwrap(),
            commits: changes.iter().map(|_| commit()).collect(),
            changes,
            told: told(1),
        };
        Plan::of(Comparison {
            baseline,
            release: release.parse().unwrap(),
            reachable_from: "~1.0".parse().unwrap(),
            stale: vec![format!("releases/{release}.json")],
            told: told(0),
            services: [("orders".to_owned(), orders)].into(),
        })
    }

    fn commit() -> Commit {
        Commit {
            id: "0b841cc".to_owned(),
            subject: "orders: losers wait".to_owned(),
        }
    }

    fn published() -> Baseline {
        let version: Version = "1.0.0".parse().unwrap();
        let services = ["auth", "orders"].map(|name| (name.to_owned(), version.clone()));
        Baseline::Release {
            version,
            services: services.into(),
        }
    }

    #[test]
    fn a_plan_says_what_changed_and_what_comes_of_it() {
        let text = plan(&planned(published(), "1.1.0", "1.0.1"));
        let expected = "\
release 1.1.0, after v1.0.0 and reachable from it in one step (~1.0)

service  published     now
orders   1.0.0         1.0.1         changed: tokio 1.2.0 instead of 1.1.0
auth     1.0.0         -             is no service any more

would be published: orders 1.0.1, operator 1.1.0, stripe-double 1.1.0
cargo xtask release would write: releases/1.1.0.json, services/orders/CHANGELOG.md
    services/orders/CHANGELOG.md: 1 unreleased entry under 1.0.1
commits for the changelog of orders:
    - orders: losers wait (0b841cc)
";
        assert_eq!(text, expected);
    }

    #[test]
    fn what_is_refused_comes_with_what_to_do() {
        let refused = planned(published(), "1.1.0", "1.0.0");
        let next = "    next: give services/orders/version.json a version greater than 1.0.0, then run cargo xtask release\n";
        let text = plan(&refused);
        assert!(
            text.contains("would be published, were nothing refused: operator 1.1.0"),
            "{text}"
        );
        assert!(text.ends_with(next), "{text}");
        let text = check(&refused);
        assert!(text.starts_with("orders has changed since v1.0.0"), "{text}");
        assert!(text.contains(next), "{text}");
        assert!(
            text.ends_with("release: 1 refused; cargo xtask release plan says more\n"),
            "{text}"
        );
    }

    #[test]
    fn what_was_written_is_said() {
        let mut plan = planned(published(), "1.1.0", "1.0.1");
        let wrote = "release: releases/1.1.0.json, services/orders/CHANGELOG.md written\n";
        assert_eq!(written(&plan), wrote);
        plan.writes.clear();
        plan.changelogs[0].due = Due::Entries;
        assert_eq!(
            written(&plan),
            "release: everything is written already\nrelease: CHANGELOG.md says nothing of 1.1.0\n"
        );
    }

    #[test]
    fn a_check_says_in_a_line_what_it_compared() {
        let said = |baseline, release| check(&planned(baseline, release, "1.0.1"));
        assert_eq!(
            said(published(), "1.1.0"),
            "release: 2 services compared with v1.0.0, 1 of them changed, nothing refused\n"
        );
        assert_eq!(
            said(Baseline::Nothing, "1.0.0"),
            "release: nothing was published yet: no tag such as v1.0.0 is reachable from HEAD\n"
        );
        let reason = "this clone is shallow".to_owned();
        assert_eq!(
            said(Baseline::Unknown { reason }, "1.0.0"),
            "release: compared with nothing: this clone is shallow\n"
        );
    }
}
