//! Stripe's books, watched while a run lasts: when money moved, as closely as looking often can tell.

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use bigtix_contracts::OrderId;
use bigtix_testkit::stripe::{Entry, Ledger, Running};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::history::Moment;

const LOOK_AGAIN: Duration = Duration::from_millis(10);
/// Looking takes the longer the more there is, and takes no more than a tenth of the time.
const SHARE: u32 = 10;
/// What payments writes on an intent.
const ORDER: &str = "orderId";

/// Money was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capture {
    /// By which intent.
    pub intent: String,
    /// For which order.
    pub order: Option<OrderId>,
    /// Not before this.
    pub after: Moment,
    /// Not after this.
    pub before: Moment,
}

/// The order that an intent is for.
#[must_use]
pub fn order_of(entry: &Entry) -> Option<OrderId> {
    OrderId::from_str(entry.metadata.get(ORDER)?).ok()
}

/// Somebody who looks at the books all the time.
pub struct Watch {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Vec<Capture>>,
}

impl Watch {
    /// Begins to look.
    #[must_use]
    pub fn begin(stripe: Arc<Running>) -> Self {
        let (stop, mut stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let mut seen = Seen::default();
            loop {
                let began = std::time::Instant::now();
                seen.look(&stripe.ledger(), Moment::now());
                let pause = LOOK_AGAIN.max(began.elapsed() * SHARE);
                // An error means that whoever wanted to know is gone.
                if tokio::time::timeout(pause, &mut stopped).await.is_ok() {
                    return seen.captures;
                }
            }
        });
        Self { stop, task }
    }

    /// Every capture that was seen.
    pub async fn end(self) -> Vec<Capture> {
        let _ = self.stop.send(());
        self.task.await.unwrap_or_default()
    }
}

#[derive(Default)]
struct Seen {
    taken: HashMap<String, u32>,
    captures: Vec<Capture>,
    last: Option<Moment>,
}

impl Seen {
    /// `now` is after the books were read, so that nothing in them is younger.
    fn look(&mut self, books: &Ledger, now: Moment) {
        let after = self.last.unwrap_or(now);
        for entry in &books.intents {
            let known = self.taken.get(&entry.id).copied().unwrap_or(0);
            if entry.captures > known {
                self.taken.insert(entry.id.clone(), entry.captures);
                self.captures.push(Capture {
                    intent: entry.id.clone(),
                    order: order_of(entry),
                    after,
                    before: now,
                });
            }
        }
        self.last = Some(now);
    }
}
