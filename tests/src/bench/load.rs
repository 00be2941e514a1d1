//! A closed loop: so many clients, each of which asks again as soon as it is answered.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures::future::join_all;
use hdrhistogram::Histogram;

use super::wire::Wire;

/// The slowest answer that is told from slower ones, in microseconds.
const SLOWEST: u64 = 120_000_000;

/// What an answer means to the one who asked.
#[derive(Debug)]
pub enum Step {
    /// The unit of work is done.
    Done,
    /// It takes another request.
    More,
    /// It went wrong, and why.
    Failed(String),
}

/// What one client does.
pub trait Work {
    /// Writes the next request; `false` when there is no work left.
    fn ask(&mut self, request: &mut Vec<u8>) -> bool;
    /// Takes the answer.
    fn hear(&mut self, status: u16, body: &[u8]) -> Step;
}

/// What came of a loop.
#[derive(Debug)]
pub struct Tally {
    /// Units of work that were done.
    pub done: u64,
    /// Units of work that went wrong.
    pub failed: u64,
    /// Why the first one went wrong.
    pub first_failure: Option<String>,
    /// From the first request to the last answer.
    pub elapsed: Duration,
    /// How long each unit took, in microseconds.
    pub latency: Histogram<u64>,
}

impl Tally {
    fn new() -> Self {
        Self {
            done: 0,
            failed: 0,
            first_failure: None,
            elapsed: Duration::ZERO,
            latency: Histogram::new_with_max(SLOWEST, 3).expect("the bounds are constants"),
        }
    }

    /// Units of work in a second.
    pub fn rate(&self) -> f64 {
        self.done as f64 / self.elapsed.as_secs_f64()
    }

    fn absorb(&mut self, other: Self) {
        self.done += other.done;
        self.failed += other.failed;
        self.first_failure = self.first_failure.take().or(other.first_failure);
        self.elapsed = self.elapsed.max(other.elapsed);
        self.latency += other.latency;
    }

    fn note_failure(&mut self, why: String) {
        self.failed += 1;
        self.first_failure.get_or_insert(why);
    }
}

/// Lets every client work for `duration`, or until it has nothing left to do, and returns what they are then.
pub async fn closed_loop<W: Work>(
    address: SocketAddr,
    clients: Vec<W>,
    duration: Duration,
) -> (Vec<W>, Tally) {
    let began = Instant::now();
    let running = clients
        .into_iter()
        .map(|work| one_client(address, work, began, duration));
    let mut all = Tally::new();
    let mut workers = Vec::new();
    for (work, tally) in join_all(running).await {
        workers.push(work);
        all.absorb(tally);
    }
    (workers, all)
}

async fn one_client<W: Work>(
    address: SocketAddr,
    mut work: W,
    began: Instant,
    duration: Duration,
) -> (W, Tally) {
    let mut wire = Wire::new(address);
    let mut tally = Tally::new();
    let mut request = Vec::with_capacity(1024);
    'units: while began.elapsed() < duration {
        let asked = Instant::now();
        loop {
            request.clear();
            if !work.ask(&mut request) {
                break 'units;
            }
            let step = match wire.exchange(&request).await {
                Ok(reply) => work.hear(reply.status, reply.body),
                Err(error) => Step::Failed(format!("no answer: {error}")),
            };
            match step {
                Step::More => {}
                Step::Done => {
                    tally.done += 1;
                    tally
                        .latency
                        .saturating_record(u64::try_from(asked.elapsed().as_micros()).unwrap_or(SLOWEST));
                    break;
                }
                Step::Failed(why) => {
                    tally.note_failure(why);
                    break;
                }
            }
        }
    }
    tally.elapsed = began.elapsed();
    (work, tally)
}
