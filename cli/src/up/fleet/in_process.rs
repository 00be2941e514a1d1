//! The services as tasks of this process.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Instant;

use bigtix_crds::Service;
use bigtix_service::{Listen, Running};
use futures::future::join_all;

use super::{FleetError, Place, Places, timed};
use crate::edge::Upstream;
use crate::run_file::{ServiceRun, UrlRun};
use crate::services::{HELD, Held};
use crate::terminal::Terminal;

/// Each service once, in the order of a rollout.
pub(crate) struct InProcess(Vec<(Service, Running)>);

impl InProcess {
    /// Starts all of them at once.
    ///
    /// # Errors
    /// When one does not start; the others are stopped by then.
    pub(crate) async fn start(
        places: &Places,
        settings: impl Fn(Service) -> BTreeMap<String, String>,
        terminal: Terminal,
    ) -> Result<Self, FleetError> {
        let starts = HELD.iter().filter_map(|held| {
            let place = *places.get(&held.service)?.first()?;
            Some(start(held, place, settings(held.service), terminal))
        });
        let mut started = Vec::new();
        let mut failed = None;
        for outcome in join_all(starts).await {
            match outcome {
                Ok(running) => started.push(running),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        match failed {
            None => Ok(Self(started)),
            Some(error) => {
                join_all(started.into_iter().map(|(_, running)| running.stop())).await;
                Err(error)
            }
        }
    }

    pub(super) fn upstreams(&self) -> BTreeMap<Service, Upstream> {
        self.0
            .iter()
            .map(|(service, running)| (*service, Upstream::InProcess(running.router.clone())))
            .collect()
    }

    pub(super) fn runs(&self) -> BTreeMap<String, ServiceRun> {
        let run = |running: &Running| {
            let (pid, url) = (
                Some(std::process::id()),
                format!("http://{}", running.public_addr),
            );
            let instances = vec![UrlRun {
                pid,
                url: url.clone(),
            }];
            ServiceRun {
                pid,
                url,
                version: running.version.clone(),
                instances,
            }
        };
        self.0
            .iter()
            .map(|(service, running)| (service.to_string(), run(running)))
            .collect()
    }

    pub(super) async fn stop(self, terminal: Terminal) {
        for (service, running) in self.0.into_iter().rev() {
            timed(terminal, service.as_str(), running.stop()).await;
        }
    }
}

async fn start(
    held: &Held,
    place: Place,
    settings: BTreeMap<String, String>,
    terminal: Terminal,
) -> Result<(Service, Running), FleetError> {
    let began = Instant::now();
    let at = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let listen = Listen {
        public: at(place.public),
        internal: place.internal.map(at),
    };
    let failed = |error: bigtix_service::StartError| FleetError {
        service: held.service,
        why: error.to_string(),
    };
    // On a task of its own, so that services prepare their stores on all processors.
    let prepared = tokio::spawn((held.prepare)(settings)).await;
    let prepared = prepared.map_err(|error| FleetError {
        service: held.service,
        why: error.to_string(),
    })?;
    let running = prepared.map_err(failed)?.start(listen).await.map_err(failed)?;
    terminal.step(held.service.as_str(), began.elapsed());
    Ok((held.service, running))
}
