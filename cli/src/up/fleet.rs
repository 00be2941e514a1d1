//! The services, running: as tasks of this process, or as processes of their own.

mod in_process;
mod separate;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bigtix_crds::Service;
use bigtix_testkit::stores::HeldPort;

use crate::edge::Upstream;
use crate::run_file::ServiceRun;
use crate::services::HELD;
use crate::terminal::Terminal;

pub(super) use in_process::InProcess;
pub(super) use separate::Separate;

/// Where an instance of a service is to listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) public: u16,
    /// For calls from other services.
    pub(super) internal: Option<u16>,
}

/// The places of all instances of all services.
pub(super) type Places = BTreeMap<Service, Vec<Place>>;

/// Chooses free ports for as many instances of each service as are asked for, and keeps them free of others.
pub(super) fn choose_places(instances: impl Fn(Service) -> u32) -> std::io::Result<(Places, Vec<HeldPort>)> {
    let (mut places, mut ports) = (Places::new(), Vec::new());
    let mut find = || {
        let port = HeldPort::find()?;
        let number = port.number();
        ports.push(port);
        std::io::Result::Ok(number)
    };
    for held in HELD {
        for _ in 0..instances(held.service).max(1) {
            let internal = if held.is_called { Some(find()?) } else { None };
            let public = find()?;
            let place = Place { public, internal };
            places.entry(held.service).or_default().push(place);
        }
    }
    Ok((places, ports))
}

/// Where other services call each service.
pub(super) fn internal_urls(places: &Places) -> BTreeMap<Service, Vec<String>> {
    let urls = |places: &Vec<Place>| -> Vec<String> {
        places
            .iter()
            .filter_map(|place| place.internal)
            .map(|port| format!("http://127.0.0.1:{port}"))
            .collect()
    };
    places
        .iter()
        .map(|(service, places)| (*service, urls(places)))
        .collect()
}

/// Where users are served by the first instance of each service.
pub(super) fn public_urls(places: &Places) -> BTreeMap<Service, String> {
    let first = |(service, places): (&Service, &Vec<Place>)| {
        let port = places.first()?.public;
        Some((*service, format!("http://127.0.0.1:{port}")))
    };
    places.iter().filter_map(first).collect()
}

/// Why a service does not run.
#[derive(Debug, thiserror::Error)]
#[error("{service} did not start: {why}")]
pub(crate) struct FleetError {
    pub(crate) service: Service,
    pub(crate) why: String,
}

/// The running services.
pub(super) enum Fleet {
    InProcess(InProcess),
    Separate(Separate),
}

impl Fleet {
    /// How the edge reaches each service.
    pub(super) fn upstreams(&self) -> BTreeMap<Service, Upstream> {
        match self {
            Self::InProcess(fleet) => fleet.upstreams(),
            Self::Separate(fleet) => fleet.upstreams(),
        }
    }

    /// What `run.json` says of them.
    pub(super) fn runs(&self) -> BTreeMap<String, ServiceRun> {
        match self {
            Self::InProcess(fleet) => fleet.runs(),
            Self::Separate(fleet) => fleet.runs(),
        }
    }

    /// Lets each finish what it began and ends it, in the reverse of the order of a rollout.
    pub(super) async fn stop(self, terminal: Terminal) {
        match self {
            Self::InProcess(fleet) => fleet.stop(terminal).await,
            Self::Separate(fleet) => fleet.stop(terminal).await,
        }
    }
}

/// Measures a step and says so.
async fn timed<T>(terminal: Terminal, name: &str, step: impl Future<Output = T>) -> T {
    let began = Instant::now();
    let outcome = step.await;
    terminal.step(name, began.elapsed());
    outcome
}

/// Between two looks at an instance that is not ready yet.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_instance_has_ports_of_its_own() {
        let (places, held) = choose_places(|service| if service == Service::Orders { 2 } else { 1 }).unwrap();
        assert_eq!(places.len(), HELD.len());
        assert_eq!(places[&Service::Orders].len(), 2);
        let mut all: Vec<u16> = places
            .values()
            .flatten()
            .flat_map(|place| [Some(place.public), place.internal])
            .flatten()
            .collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!((all.len(), held.len()), (count, count));
        let urls = internal_urls(&places);
        assert_eq!(urls[&Service::Orders].len(), 2);
        assert!(urls[&Service::Auth].is_empty());
        let first = places[&Service::Orders][0].public;
        assert_eq!(
            public_urls(&places)[&Service::Orders],
            format!("http://127.0.0.1:{first}")
        );
    }
}
