//! The two loops. In an open one visits come at a constant rate, whether or not those before them were served, and how
//! long one took is counted from when it was due: a shop that stands still is not asked less for that (G. Tene, "How NOT
//! to Measure Latency"). In a closed one each client comes again as soon as it was answered.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use futures::StreamExt;
use futures::future::{Either, join_all, select};
use futures::stream::FuturesUnordered;
use tokio::time::Instant;

use super::progress;
use super::tally::{Outcome, Tally};
use super::wire::{Edge, Wire};

/// A connection that was idle for longer may just be closed by the other side.
const IDLE: Duration = Duration::from_secs(2);

/// When visits come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Arrivals {
    /// So many clients, each of which comes again as soon as it was answered.
    Clients(usize),
    /// At a constant rate.
    Rate {
        /// Visits a second.
        per_second: f64,
        /// Visits under way at once; whoever is due when all are has to wait, and that counts.
        at_once: usize,
    },
}

/// What is sent to a shop.
#[derive(Debug, Clone)]
pub struct Load<'a> {
    /// Whom it asks.
    pub edge: &'a Edge,
    /// When visits come.
    pub arrivals: Arrivals,
    /// For how long.
    pub duration: Duration,
    /// Says every second how far it is, under this name.
    pub progress: Option<&'a str>,
}

impl<'a> Load<'a> {
    /// So many clients, who say nothing meanwhile.
    pub fn of_clients(edge: &'a Edge, clients: usize, duration: Duration) -> Self {
        Self {
            edge,
            arrivals: Arrivals::Clients(clients),
            duration,
            progress: None,
        }
    }
}

/// One visit.
#[derive(Debug, Clone, Copy)]
pub struct Turn {
    /// Counts the visits of a run from 0.
    pub number: usize,
    /// Which of the connections it has.
    pub client: usize,
    /// When it was due.
    pub due: Instant,
}

impl Turn {
    /// A path to look at, each visit another; there has to be one.
    pub fn one_of(self, paths: &[String]) -> &str {
        // A prime, so that what is looked at next is not beside it.
        &paths[self.number.wrapping_mul(7919) % paths.len()]
    }
}

/// When visits are due at a constant rate, from the beginning. Each is computed from its number, so that nothing adds up.
pub fn due_times(per_second: f64, duration: Duration) -> impl Iterator<Item = Duration> {
    (0_u64..)
        .map(move |number| Duration::from_secs_f64(number as f64 / per_second))
        .take_while(move |due| *due < duration)
}

/// Lets visits come, and says what came of them.
pub async fn drive(load: &Load<'_>, visit: impl AsyncFn(&mut Wire, Turn) -> Outcome) -> Tally {
    let tally = RefCell::new(Tally::default());
    let began = Instant::now();
    let visits = async {
        match load.arrivals {
            Arrivals::Clients(clients) => closed(load, clients, &tally, &visit).await,
            Arrivals::Rate { per_second, at_once } => open(load, per_second, at_once, &tally, &visit).await,
        }
    };
    match load.progress {
        None => visits.await,
        Some(name) => {
            let told = progress::tell(name, load.duration, &tally);
            match select(std::pin::pin!(visits), std::pin::pin!(told)).await {
                Either::Left(((), _)) => {}
                Either::Right((never, _)) => match never {},
            }
        }
    }
    let mut tally = tally.into_inner();
    tally.elapsed = began.elapsed();
    tally
}

async fn closed(
    load: &Load<'_>,
    clients: usize,
    tally: &RefCell<Tally>,
    visit: &impl AsyncFn(&mut Wire, Turn) -> Outcome,
) {
    let began = Instant::now();
    let next = Cell::new(0);
    let client = async |client: usize| {
        let mut wire = Wire::new(load.edge);
        while began.elapsed() < load.duration {
            let due = Instant::now();
            let number = next.replace(next.get() + 1);
            let outcome = visit(&mut wire, Turn { number, client, due }).await;
            if !tally.borrow_mut().note(outcome, due.elapsed()) {
                break;
            }
        }
    };
    join_all((0..clients).map(client)).await;
}

async fn open(
    load: &Load<'_>,
    per_second: f64,
    at_once: usize,
    tally: &RefCell<Tally>,
    visit: &impl AsyncFn(&mut Wire, Turn) -> Outcome,
) {
    let began = Instant::now();
    let pool = Pool::new(load.edge);
    let is_over = Cell::new(false);
    let one = async |number: usize, due: Instant| {
        let Pooled {
            mut wire,
            client,
            since: _,
        } = pool.take();
        let outcome = visit(&mut wire, Turn { number, client, due }).await;
        if !tally.borrow_mut().note(outcome, due.elapsed()) {
            is_over.set(true);
        }
        pool.give_back(wire, client);
    };
    let mut under_way = FuturesUnordered::new();
    for (number, due) in due_times(per_second, load.duration).enumerate() {
        let due = began + due;
        loop {
            tokio::select! {
                biased;
                () = tokio::time::sleep_until(due), if under_way.len() < at_once => break,
                Some(()) = under_way.next() => {}
            }
        }
        if is_over.get() {
            break;
        }
        under_way.push(one(number, due));
    }
    while under_way.next().await.is_some() {}
}

/// Connections that nobody uses now.
struct Pool<'a> {
    edge: &'a Edge,
    idle: RefCell<Vec<Pooled>>,
    made: Cell<usize>,
}

struct Pooled {
    wire: Wire,
    client: usize,
    since: Instant,
}

impl<'a> Pool<'a> {
    fn new(edge: &'a Edge) -> Self {
        Self {
            edge,
            idle: RefCell::default(),
            made: Cell::new(0),
        }
    }

    /// The one that was used last, unless it was idle for too long: then another one in its place.
    fn take(&self) -> Pooled {
        match self.idle.borrow_mut().pop() {
            Some(pooled) if pooled.since.elapsed() < IDLE => pooled,
            Some(stale) => self.fresh(stale.client),
            None => self.fresh(self.made.replace(self.made.get() + 1)),
        }
    }

    fn fresh(&self, client: usize) -> Pooled {
        Pooled {
            wire: Wire::new(self.edge),
            client,
            since: Instant::now(),
        }
    }

    fn give_back(&self, wire: Wire, client: usize) {
        self.idle.borrow_mut().push(Pooled {
            wire,
            client,
            since: Instant::now(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nobody listens there, and nobody asks.
    fn nobody() -> Edge {
        Edge::from(std::net::SocketAddr::from(([127, 0, 0, 1], 9)))
    }

    #[test]
    fn visits_are_due_at_a_constant_rate_however_many_there_are() {
        let second = Duration::from_secs(1);
        let due: Vec<Duration> = due_times(3.0, second * 100).collect();
        assert_eq!(due.len(), 300);
        assert_eq!((due[0], due[3], due[297]), (Duration::ZERO, second, second * 99));
        assert_eq!(due_times(5000.0, second * 300).count(), 1_500_000);
        // Fewer than one a second is a rate too.
        assert_eq!(
            due_times(0.5, second * 3).collect::<Vec<_>>(),
            [Duration::ZERO, second * 2]
        );
    }

    #[tokio::test]
    async fn who_waits_for_somebody_before_them_waits_since_they_were_due() {
        let edge = nobody();
        let load = Load {
            edge: &edge,
            arrivals: Arrivals::Rate {
                per_second: 100.0,
                at_once: 1,
            },
            duration: Duration::from_millis(100),
            progress: None,
        };
        let stall = Duration::from_millis(50);
        let tally = drive(&load, async |_, turn| {
            if turn.number == 0 {
                // The shop stands still.
                let never = tokio::time::timeout(stall, std::future::pending::<()>()).await;
                assert!(never.is_err());
            }
            Outcome::Done
        })
        .await;
        assert_eq!(tally.done, 10);
        // Those that were due after 10, 20, 30 and 40 ms were served at once when their turn came, and that was late.
        let late = |share| tally.latency.milliseconds(share).unwrap();
        assert!(late(1.0) >= 49.0 && late(0.9) >= 39.0 && late(0.8) >= 29.0);
    }

    #[tokio::test]
    async fn each_visit_of_a_closed_loop_has_a_number_of_its_own() {
        let (edge, numbers) = (nobody(), RefCell::new(Vec::new()));
        let load = Load::of_clients(&edge, 4, Duration::from_secs(60));
        let tally = drive(&load, async |_, turn| {
            if turn.number >= 100 {
                return Outcome::NoWork;
            }
            numbers.borrow_mut().push(turn.number);
            Outcome::Done
        })
        .await;
        assert_eq!(tally.done, 100);
        assert_eq!(numbers.into_inner(), (0..100).collect::<Vec<_>>());
    }
}
