//! A closed loop: so many clients, each asking again as soon as it was answered.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use futures::future::try_join_all;
use hdrhistogram::Histogram;

use super::wire::{Answer, Connection, Request};

/// What a load came to.
pub(super) struct Outcome {
    pub(super) statuses: BTreeMap<u16, u64>,
    pub(super) took: Duration,
    pub(super) micros: Histogram<u64>,
    /// The bodies of answers with a 2xx.
    pub(super) bodies: Vec<Vec<u8>>,
}

impl Outcome {
    /// How many answers a second had `status`.
    pub(super) fn rate(&self, status: u16) -> f64 {
        self.statuses.get(&status).copied().unwrap_or_default() as f64 / self.took.as_secs_f64()
    }

    fn absorb(&mut self, other: Self) -> Result<()> {
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        self.micros.add(&other.micros)?;
        self.bodies.extend(other.bodies);
        self.took = self.took.max(other.took);
        Ok(())
    }

    fn empty() -> Result<Self> {
        Ok(Self {
            statuses: BTreeMap::new(),
            took: Duration::ZERO,
            micros: Histogram::new(3)?,
            bodies: Vec::new(),
        })
    }

    pub(super) fn note(&mut self, began: Instant, answer: Answer) -> Result<()> {
        self.micros.record(u64::try_from(began.elapsed().as_micros())?)?;
        *self.statuses.entry(answer.status).or_default() += 1;
        if answer.status < 300 {
            self.bodies.push(answer.body);
        }
        Ok(())
    }
}

/// Runs `work` in `clients` tasks until each says that there is no more, and adds up what they came to.
pub(super) async fn in_parallel<F, Fut>(clients: usize, work: F) -> Result<Outcome>
where
    F: Fn(usize) -> Fut,
    Fut: Future<Output = Result<Outcome>> + Send + 'static,
{
    let tasks = (0..clients).map(|client| tokio::spawn(work(client)));
    let mut all = Outcome::empty()?;
    for outcome in try_join_all(tasks).await? {
        all.absorb(outcome?)?;
    }
    Ok(all)
}

/// Sends requests, each once, from `clients` connections for at most `duration`.
pub(super) async fn send_each(
    address: &str,
    clients: usize,
    duration: Duration,
    requests: Arc<Vec<Request>>,
    keep_going: bool,
) -> Result<Outcome> {
    let next = Arc::new(AtomicUsize::new(0));
    let address = address.to_owned();
    in_parallel(clients, move |_| {
        let (address, next, requests) = (address.clone(), next.clone(), requests.clone());
        async move {
            let mut outcome = Outcome::empty()?;
            let mut connection = Connection::open(&address).await?;
            let began = Instant::now();
            while began.elapsed() < duration {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let index = if keep_going { index % requests.len() } else { index };
                let Some(request) = requests.get(index) else { break };
                let asked = Instant::now();
                let answer = connection.ask(request).await?;
                outcome.note(asked, answer)?;
            }
            outcome.took = began.elapsed();
            Ok(outcome)
        }
    })
    .await
}

/// An outcome to which a client of its own adds.
pub(super) fn fresh() -> Result<Outcome> {
    Outcome::empty()
}
