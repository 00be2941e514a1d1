//! Which faults come when: a pure function of a seed, so that a run can be made again.

use std::fmt;
use std::time::Duration;

use bigtix_testkit::stripe::{Operation, RequestTrouble, WebhookTrouble};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

/// A service with a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Service {
    /// Accounts.
    Auth,
    /// The catalogue.
    Tickets,
    /// The claims.
    Orders,
    /// The money.
    Payments,
    /// The timers.
    Expiration,
}

impl Service {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Auth,
        Self::Tickets,
        Self::Orders,
        Self::Payments,
        Self::Expiration,
    ];

    /// Its name in `run.json` and in the resource.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Tickets => "tickets",
            Self::Orders => "orders",
            Self::Payments => "payments",
            Self::Expiration => "expiration",
        }
    }
}

/// A connection that leads through a proxy of the harness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Link {
    /// A service to its database.
    Database(Service),
    /// A service to the bus.
    Bus(Service),
    /// The timers to Redis.
    Redis,
    /// Payments to Stripe.
    Stripe,
}

/// What is wrong with a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Disturbance {
    /// Nothing gets through, and everybody is told so.
    Cut,
    /// Everything takes this much longer.
    Slow(Duration),
    /// Nothing gets through, and nobody is told.
    HalfOpen,
    /// The answer to one write of so many is lost with its connection. Only databases.
    AnswerLost {
        /// One of how many.
        every: u32,
    },
}

/// One thing that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// SIGKILL; it is started again by its parent.
    ServiceKilled(Service),
    /// SIGSTOP, then SIGCONT.
    ServicePaused(Service),
    /// Every instance of a service is killed whenever it is there.
    RestartStorm(Service),
    /// nats-server is gone and cannot be started.
    BusStopped,
    /// SIGSTOP, then SIGCONT.
    BusPaused,
    /// nats-server comes back with an empty store.
    BusWiped,
    /// nats-server comes back with its store of some time ago.
    BusRolledBack,
    /// Redis forgets everything.
    RedisFlushed,
    /// SIGKILL to mongod; it is started again.
    DatabaseKilled,
    /// mongod's disk is full.
    DiskFull,
    /// A connection is disturbed.
    Connection(Link, Disturbance),
    /// The clock of one service is an hour off.
    ClockMoved {
        /// Whether it is ahead.
        ahead: bool,
    },
    /// Stripe answers some requests badly.
    StripeTroubled(Operation, RequestTrouble),
    /// Stripe delivers some webhooks badly.
    WebhooksTroubled(WebhookTrouble),
}

impl Fault {
    /// The kind, as tables count it.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::ServiceKilled(_) => "service killed",
            Self::ServicePaused(_) => "service paused",
            Self::RestartStorm(_) => "restart storm",
            Self::BusStopped => "bus stopped",
            Self::BusPaused => "bus paused",
            Self::BusWiped => "bus wiped",
            Self::BusRolledBack => "bus rolled back",
            Self::RedisFlushed => "Redis flushed",
            Self::DatabaseKilled => "database killed",
            Self::DiskFull => "disk full",
            Self::Connection(_, Disturbance::Cut) => "connection cut",
            Self::Connection(_, Disturbance::Slow(_)) => "connection slow",
            Self::Connection(_, Disturbance::HalfOpen) => "connection half-open",
            Self::Connection(_, Disturbance::AnswerLost { .. }) => "answer lost",
            Self::ClockMoved { .. } => "clock moved",
            Self::StripeTroubled(..) => "Stripe troubled",
            Self::WebhooksTroubled(_) => "webhooks troubled",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ServiceKilled(service) | Self::ServicePaused(service) | Self::RestartStorm(service) => {
                write!(f, "{}: {}", self.kind(), service.as_str())
            }
            Self::Connection(link, Disturbance::Slow(by)) => {
                write!(f, "connection slow: {link} by {} ms", by.as_millis())
            }
            Self::Connection(link, Disturbance::AnswerLost { every }) => {
                write!(f, "answer lost: {link}, one write of {every}")
            }
            Self::Connection(link, Disturbance::Cut | Disturbance::HalfOpen) => {
                write!(f, "{}: {link}", self.kind())
            }
            Self::ClockMoved { ahead: true } => f.write_str("clock moved: an hour ahead"),
            Self::ClockMoved { ahead: false } => f.write_str("clock moved: an hour behind"),
            Self::StripeTroubled(operation, trouble) => {
                write!(f, "Stripe troubled: {trouble:?} of {operation:?}")
            }
            Self::WebhooksTroubled(trouble) => write!(f, "webhooks troubled: {trouble:?}"),
            Self::BusStopped
            | Self::BusPaused
            | Self::BusWiped
            | Self::BusRolledBack
            | Self::RedisFlushed
            | Self::DatabaseKilled
            | Self::DiskFull => f.write_str(self.kind()),
        }
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Database(service) => write!(f, "{} to its database", service.as_str()),
            Self::Bus(service) => write!(f, "{} to the bus", service.as_str()),
            Self::Redis => f.write_str("expiration to Redis"),
            Self::Stripe => f.write_str("payments to Stripe"),
        }
    }
}

/// What this machine lets the harness do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abilities {
    /// A small file system of its own for the database.
    pub small_disk: bool,
    /// Another clock for one service.
    pub other_clock: bool,
}

/// A fault with its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planned {
    /// When it begins, from the beginning of the load.
    pub begins: Duration,
    /// When it is healed.
    pub ends: Duration,
    /// What goes wrong.
    pub fault: Fault,
}

/// What a run is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// How many processes of each service there are.
    pub instances: usize,
    /// Whose clock can be moved.
    pub clock_of: Service,
    /// The faults, by their beginning.
    pub faults: Vec<Planned>,
}

/// Faults within `total` as `seed` has them. Every kind comes once before any comes again, in an order of the seed's.
/// Where kinds are named in `only`, there are no others.
#[must_use]
pub fn schedule(seed: u64, total: Duration, abilities: Abilities, only: &[&str]) -> Schedule {
    let mut random = StdRng::seed_from_u64(seed);
    let instances = if random.random_bool(0.5) { 2 } else { 1 };
    let clock_of = *Service::ALL.choose(&mut random).unwrap_or(&Service::Orders);
    let mut faults = Vec::new();
    let mut bag = Vec::new();
    let mut at = millis(&mut random, 1_000, 2_000);
    loop {
        if bag.is_empty() {
            bag = every_kind(&mut random, abilities);
            bag.retain(|(fault, _, _)| only.is_empty() || only.contains(&fault.kind()));
        }
        if bag.is_empty() {
            break;
        }
        let place = random.random_range(0..bag.len());
        let (fault, shortest, longest) = bag.swap_remove(place);
        let lasting = millis(&mut random, shortest, longest);
        if at + lasting > total {
            break;
        }
        faults.push(Planned {
            begins: at,
            ends: at + lasting,
            fault,
        });
        // One in four begins while the one before still lasts.
        at += if random.random_bool(0.25) {
            lasting / 2
        } else {
            lasting + millis(&mut random, 300, 2_000)
        };
    }
    Schedule {
        instances,
        clock_of,
        faults,
    }
}

fn millis(random: &mut StdRng, shortest: u64, longest: u64) -> Duration {
    Duration::from_millis(random.random_range(shortest..=longest))
}

/// One fault of every kind, with the shortest and the longest time that it lasts, in milliseconds.
fn every_kind(random: &mut StdRng, abilities: Abilities) -> Vec<(Fault, u64, u64)> {
    let service = |random: &mut StdRng| *Service::ALL.choose(random).unwrap_or(&Service::Orders);
    let database = |random: &mut StdRng| {
        // Most of what can go wrong goes wrong here.
        *[
            Service::Orders,
            Service::Orders,
            Service::Payments,
            Service::Tickets,
        ]
        .choose(random)
        .unwrap_or(&Service::Orders)
    };
    let link = |random: &mut StdRng| match random.random_range(0..4) {
        0 => Link::Database(database(random)),
        1 => Link::Bus(service(random)),
        2 => Link::Stripe,
        _ if random.random_bool(0.3) => Link::Redis,
        _ => Link::Database(service(random)),
    };
    let slow = Duration::from_millis(random.random_range(20..300));
    let every = random.random_range(3..20);
    let mut kinds = vec![
        (Fault::ServiceKilled(service(random)), 1_500, 3_000),
        (Fault::ServiceKilled(database(random)), 1_500, 3_000),
        (Fault::ServicePaused(service(random)), 1_500, 5_000),
        (Fault::RestartStorm(database(random)), 2_000, 5_000),
        (Fault::BusStopped, 1_500, 6_000),
        (Fault::BusPaused, 1_500, 6_000),
        (Fault::BusWiped, 1_500, 3_000),
        (Fault::BusRolledBack, 2_000, 5_000),
        (Fault::RedisFlushed, 1_000, 1_500),
        (Fault::DatabaseKilled, 2_500, 4_000),
        (Fault::Connection(link(random), Disturbance::Cut), 1_500, 5_000),
        (
            Fault::Connection(link(random), Disturbance::Slow(slow)),
            2_000,
            6_000,
        ),
        (
            Fault::Connection(link(random), Disturbance::HalfOpen),
            2_000,
            6_000,
        ),
        (
            Fault::Connection(
                Link::Database(database(random)),
                Disturbance::AnswerLost { every },
            ),
            3_000,
            6_000,
        ),
        (stripe_trouble(random), 2_000, 4_000),
        (stripe_trouble(random), 2_000, 4_000),
        (webhook_trouble(random), 2_000, 4_000),
    ];
    if abilities.small_disk {
        kinds.push((Fault::DiskFull, 2_000, 4_000));
    }
    if abilities.other_clock {
        let ahead = random.random_bool(0.5);
        kinds.push((Fault::ClockMoved { ahead }, 2_500, 6_000));
    }
    kinds
}

fn stripe_trouble(random: &mut StdRng) -> Fault {
    let operations = [
        Operation::Create,
        Operation::Capture,
        Operation::Cancel,
        Operation::Retrieve,
        Operation::List,
        Operation::Refund,
    ];
    let troubles = [
        RequestTrouble::TimeoutBefore,
        RequestTrouble::TimeoutAfter,
        RequestTrouble::ErrorBefore,
        RequestTrouble::ErrorBeforeStored,
        RequestTrouble::ErrorAfter,
        RequestTrouble::Slow,
        RequestTrouble::RateLimited,
    ];
    Fault::StripeTroubled(
        *operations.choose(random).unwrap_or(&Operation::Capture),
        *troubles.choose(random).unwrap_or(&RequestTrouble::TimeoutAfter),
    )
}

fn webhook_trouble(random: &mut StdRng) -> Fault {
    let troubles = [
        WebhookTrouble::Duplicate,
        WebhookTrouble::Reordered,
        WebhookTrouble::Delayed,
        WebhookTrouble::Lost,
        WebhookTrouble::Replayed,
        WebhookTrouble::WrongSignature,
    ];
    Fault::WebhooksTroubled(*troubles.choose(random).unwrap_or(&WebhookTrouble::Lost))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const ALL: Abilities = Abilities {
        small_disk: true,
        other_clock: true,
    };

    #[test]
    fn a_seed_has_one_schedule() {
        let total = Duration::from_secs(600);
        assert_eq!(schedule(7, total, ALL, &[]), schedule(7, total, ALL, &[]));
        assert_ne!(schedule(7, total, ALL, &[]), schedule(8, total, ALL, &[]));
    }

    #[test]
    fn a_longer_run_begins_like_a_shorter_one() {
        let short = schedule(7, Duration::from_secs(60), ALL, &[]).faults;
        let long = schedule(7, Duration::from_secs(600), ALL, &[]).faults;
        assert_eq!(short, long[..short.len()]);
    }

    #[test]
    fn every_kind_comes_in_an_hour_at_least_ten_times_and_nothing_lasts_beyond_the_end() {
        let total = Duration::from_secs(3_600);
        let faults = schedule(1, total, ALL, &[]).faults;
        let kinds: BTreeSet<_> = faults.iter().map(|planned| planned.fault.kind()).collect();
        assert_eq!(kinds.len(), 17, "{kinds:?}");
        for kind in kinds {
            let fired = faults
                .iter()
                .filter(|planned| planned.fault.kind() == kind)
                .count();
            assert!(fired >= 10, "{kind}: {fired}");
        }
        assert!(faults.iter().all(|planned| planned.ends <= total));
    }

    #[test]
    fn only_what_is_named_comes() {
        let faults = schedule(1, Duration::from_secs(600), ALL, &["bus wiped"]).faults;
        assert!(faults.len() > 10 && faults.iter().all(|planned| planned.fault == Fault::BusWiped));
        assert!(
            schedule(1, Duration::from_secs(600), ALL, &["rain"])
                .faults
                .is_empty()
        );
    }

    #[test]
    fn what_the_machine_cannot_do_is_left_out() {
        let none = Abilities {
            small_disk: false,
            other_clock: false,
        };
        let faults = schedule(1, Duration::from_secs(3_600), none, &[]).faults;
        assert!(
            !faults
                .iter()
                .any(|planned| matches!(planned.fault, Fault::DiskFull | Fault::ClockMoved { .. }))
        );
    }
}
