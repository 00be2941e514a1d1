//! What is free, as it changes. One task asks for an event however many browsers look at it, and ends with the last.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bigtix_contracts::EventId;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use crate::reads::{Free, Reads};

/// Between two looks at an event.
const EVERY: Duration = Duration::from_millis(500);

/// What a watcher is told: the last state that is known, and whether it is as of now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Availability {
    pub(crate) free: Arc<Free>,
    /// Whether the services did not answer since.
    pub(crate) is_stale: bool,
}

type Pollers = HashMap<EventId, watch::Sender<Availability>>;

/// The pollers; cheap to clone.
#[derive(Clone)]
pub(crate) struct Live {
    reads: Reads,
    pollers: Arc<Mutex<Pollers>>,
}

impl Live {
    pub(crate) fn new(reads: Reads) -> Self {
        Self {
            reads,
            pollers: Arc::default(),
        }
    }

    /// Watches an event whose free tickets are these by now.
    pub(crate) fn watch(&self, event: EventId, free: Arc<Free>) -> watch::Receiver<Availability> {
        let mut pollers = self.lock();
        if let Some(sender) = pollers.get(&event) {
            return sender.subscribe();
        }
        let now = Availability {
            free,
            is_stale: false,
        };
        let (sender, receiver) = watch::channel(now);
        pollers.insert(event, sender.clone());
        tokio::spawn(self.clone().poll(event, sender));
        receiver
    }

    async fn poll(self, event: EventId, sender: watch::Sender<Availability>) {
        let mut clock = tokio::time::interval(EVERY);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            clock.tick().await;
            {
                // Under the lock nobody can begin to watch between the look and the end.
                let mut pollers = self.lock();
                if sender.receiver_count() == 0 {
                    pollers.remove(&event);
                    return;
                }
            }
            let asked = self.reads.refresh_free(event).await;
            sender.send_if_modified(|known| {
                let now = match asked {
                    Ok(free) => Availability {
                        free,
                        is_stale: false,
                    },
                    Err(_) => Availability {
                        free: Arc::clone(&known.free),
                        is_stale: true,
                    },
                };
                let is_new = now != *known;
                *known = now;
                is_new
            });
        }
    }

    fn lock(&self) -> MutexGuard<'_, Pollers> {
        // Nothing inside panics half-way.
        self.pollers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::Router;
    use axum::routing::get;
    use bigtix_client::Client;
    use bigtix_testkit::eventually;

    use super::*;

    /// A tickets service that counts how often it is asked.
    async fn counted() -> (Live, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let answer = get(async move || {
            count.fetch_add(1, Ordering::SeqCst);
            ([("content-type", "application/json")], "[]")
        });
        let routes = Router::new().route("/api/tickets/for-event/{id}", answer);
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        (Live::new(Reads::new(Client::new(&url))), asked)
    }

    #[tokio::test]
    async fn a_hundred_watchers_are_one_poller_which_ends_with_the_last() {
        let (live, asked) = counted().await;
        let event = EventId::from_bytes([7; 12]);
        let free = live.reads.free(event).await.unwrap();
        let watchers: Vec<_> = (0..100).map(|_| live.watch(event, Arc::clone(&free))).collect();
        assert_eq!(live.lock().len(), 1);
        eventually("it is asked again", async || {
            (asked.load(Ordering::SeqCst) >= 3).then_some(())
        })
        .await;
        assert!(
            asked.load(Ordering::SeqCst) < 10,
            "the watchers ask by themselves"
        );
        drop(watchers);
        eventually("the poller ends", async || live.lock().is_empty().then_some(())).await;
    }
}
