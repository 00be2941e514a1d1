//! Each instance of each service as a process of its own: this program again, told to be that service.

use std::collections::BTreeMap;
use std::env;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bigtix_crds::Service;
use bigtix_testkit::stores::{Child, ChildSpec, HeldPort, Watcher};
use futures::future::{join_all, try_join_all};

use super::{FleetError, LOOK_AGAIN, Place, Places, timed};
use crate::ask;
use crate::edge::{Instances, Upstream};
use crate::run_file::{ServiceRun, UrlRun};
use crate::terminal::Terminal;

/// How long a process that stops says "not ready" and goes on answering, in seconds: longer than the edge needs to
/// notice.
const DRAIN_SECONDS: &str = "1";
/// How long a process may take to stop: its drain, the end of its requests, and the end of its tasks.
const GRACE: Duration = Duration::from_secs(60);
const START: Duration = Duration::from_secs(30);

/// All instances, in the order of a rollout.
pub(crate) struct Separate {
    instances: Vec<Instance>,
    /// An instance that died finds its port free when it is started again.
    _held: Vec<HeldPort>,
}

struct Instance {
    service: Service,
    place: Place,
    version: String,
    child: Child,
}

impl Instance {
    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.place.public)
    }
}

impl Separate {
    /// Starts all of them at once, and keeps the ports of their places for as long as they run.
    ///
    /// # Errors
    /// When one does not become ready; the others are stopped by then.
    pub(crate) async fn start(
        dir: &Path,
        places: &Places,
        held: Vec<HeldPort>,
        settings: impl Fn(Service) -> BTreeMap<String, String>,
        watcher: &Watcher,
        terminal: Terminal,
    ) -> Result<Self, FleetError> {
        let mut instances = Vec::new();
        for (service, places) in places {
            for (number, place) in places.iter().enumerate() {
                let failed = |error: std::io::Error| FleetError {
                    service: *service,
                    why: error.to_string(),
                };
                let name = format!("{service}-{}", number + 1);
                let spec = spec(dir, name, *service, *place, settings(*service)).map_err(failed)?;
                let child = Child::start(spec, Arc::clone(watcher)).map_err(failed)?;
                instances.push(Instance {
                    service: *service,
                    place: *place,
                    version: String::new(),
                    child,
                });
            }
        }
        match try_join_all(instances.iter().map(|instance| ready(instance, terminal))).await {
            Ok(versions) => {
                for (instance, version) in instances.iter_mut().zip(versions) {
                    instance.version = version;
                    instance.child.keep_alive();
                }
                Ok(Self {
                    instances,
                    _held: held,
                })
            }
            Err(error) => {
                join_all(instances.iter().map(|instance| instance.child.stop())).await;
                Err(error)
            }
        }
    }

    fn by_service(&self) -> BTreeMap<Service, Vec<&Instance>> {
        let mut by_service = BTreeMap::<_, Vec<_>>::new();
        for instance in &self.instances {
            by_service.entry(instance.service).or_default().push(instance);
        }
        by_service
    }

    pub(super) fn upstreams(&self) -> BTreeMap<Service, Upstream> {
        let upstream = |instances: Vec<&Instance>| {
            let address = |instance: &Instance| {
                let text = format!("127.0.0.1:{}", instance.place.public);
                text.parse().expect("an address and a port make an authority")
            };
            Upstream::Instances(Instances::new(instances.into_iter().map(address)))
        };
        self.by_service()
            .into_iter()
            .map(|(service, instances)| (service, upstream(instances)))
            .collect()
    }

    pub(super) fn runs(&self) -> BTreeMap<String, ServiceRun> {
        let run = |instances: Vec<&Instance>| {
            let all: Vec<_> = instances
                .iter()
                .map(|instance| UrlRun {
                    pid: instance.child.pid(),
                    url: instance.url(),
                })
                .collect();
            let first = instances.first()?;
            let version = first.version.clone();
            Some(ServiceRun {
                pid: first.child.pid(),
                url: first.url(),
                version,
                instances: all,
            })
        };
        let by_service = self.by_service().into_iter();
        by_service
            .filter_map(|(service, instances)| Some((service.to_string(), run(instances)?)))
            .collect()
    }

    /// All at once: each goes on answering while it drains, so none misses another.
    pub(super) async fn stop(self, terminal: Terminal) {
        timed(
            terminal,
            "services",
            join_all(self.instances.iter().rev().map(|instance| instance.child.stop())),
        )
        .await;
    }
}

fn spec(
    dir: &Path,
    name: String,
    service: Service,
    place: Place,
    settings: BTreeMap<String, String>,
) -> std::io::Result<ChildSpec> {
    let own = [
        ("LISTEN", format!("127.0.0.1:{}", place.public)),
        (
            "INTERNAL_LISTEN",
            format!("127.0.0.1:{}", place.internal.unwrap_or(0)),
        ),
        ("DRAIN_DELAY_SECONDS", DRAIN_SECONDS.to_owned()),
    ];
    Ok(ChildSpec {
        log: dir.join("logs").join(format!("{name}.log")),
        name,
        program: env::current_exe()?,
        args: vec!["service".into(), service.as_str().into()],
        env: settings
            .into_iter()
            .chain(own.map(|(name, value)| (name.to_owned(), value)))
            .collect(),
        grace: GRACE,
    })
}

/// Waits until an instance is ready, and returns its version.
async fn ready(instance: &Instance, terminal: Terminal) -> Result<String, FleetError> {
    let failed = |why| FleetError {
        service: instance.service,
        why,
    };
    let began = Instant::now();
    let wait = async {
        loop {
            if let Some(obituary) = instance.child.obituary() {
                return Err(failed(obituary));
            }
            if ask::get(&format!("{}/readyz", instance.url())).await.is_some() {
                return Ok(());
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    let too_slow = || {
        format!(
            "it was not ready within {} seconds; the end of its log:\n{}",
            START.as_secs(),
            instance.child.log_tail()
        )
    };
    tokio::time::timeout(START, wait)
        .await
        .unwrap_or_else(|_| Err(failed(too_slow())))?;
    let version = ask::get(&format!("{}/version", instance.url()))
        .await
        .unwrap_or_default();
    terminal.step(instance.child.name(), began.elapsed());
    Ok(version["version"].as_str().unwrap_or_default().to_owned())
}
