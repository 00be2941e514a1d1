//! Where orders are placed: group commit.
//!
//! A wish is sent at once when no batch is under way; else it waits with the others and goes with the next batch, so
//! that batches size themselves to the load and a lone wish pays nothing for them. One unordered insert decides a
//! batch; the unique index decides each order in it.

mod batch;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use bigtix_contracts::events::{OrderState, Versioned};
use bigtix_contracts::{OrderId, TicketId};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

pub(crate) use self::batch::Batch;
use self::batch::{Begun, Fate};
use super::place_order::{PlaceError, Wish};
use crate::domain::line::{Line, Wants};
use crate::domain::order::is_overdue;
use crate::domain::quote::Rejection;

/// The most orders of one insert.
const CAP: usize = 200;
/// How many wishes may wait before the counter says that it is overloaded.
const QUEUE: usize = 8192;
/// How long to leave a ticket alone whose edit is under way.
const EDIT_PAUSE: Duration = Duration::from_millis(15);
/// How often a wish is tried again because of what held its ticket for a moment.
const PATIENCE: u32 = 200;

type Answer = Result<Versioned<OrderState>, PlaceError>;

/// A wish in the line.
pub(crate) struct Waiting {
    wish: Wish,
    tries: u32,
    answer: oneshot::Sender<Answer>,
}

impl Wants for Waiting {
    fn tickets(&self) -> &[TicketId] {
        &self.wish.tickets
    }
}

impl Waiting {
    fn say(self, answer: Answer) {
        // A buyer who hung up reads the order later, or lets it expire.
        let _ = self.answer.send(answer);
    }
}

/// Takes wishes.
#[derive(Clone)]
pub(crate) struct Counter {
    wishes: mpsc::Sender<Waiting>,
}

/// Serves wishes, batch by batch.
pub(crate) struct Clerk {
    wishes: mpsc::Receiver<Waiting>,
    again: mpsc::UnboundedSender<Waiting>,
    returning: mpsc::UnboundedReceiver<Waiting>,
    batch: Batch,
    /// How many waited when that was last told.
    told: u32,
}

/// A counter and the clerk that serves it.
pub(crate) fn open(batch: Batch) -> (Counter, Clerk) {
    let (sender, wishes) = mpsc::channel(QUEUE);
    let (again, returning) = mpsc::unbounded_channel();
    (
        Counter { wishes: sender },
        Clerk {
            wishes,
            again,
            returning,
            batch,
            told: 0,
        },
    )
}

impl Counter {
    /// Hands in a wish and waits for its fate.
    pub(crate) async fn place(&self, wish: Wish) -> Answer {
        let (answer, fate) = oneshot::channel();
        let waiting = Waiting {
            wish,
            tries: 0,
            answer,
        };
        self.wishes
            .try_send(waiting)
            .map_err(|_| PlaceError::Unavailable("Too many orders are being placed at once".into()))?;
        fate.await.unwrap_or(Err(PlaceError::Unknown))
    }
}

impl Clerk {
    /// Serves until told to stop, then those who wait already. While one batch is answered the next one is begun.
    pub(crate) async fn serve(mut self, stop: CancellationToken) {
        let mut line: Line<Waiting> = Line::new();
        let mut open: Option<Open> = None;
        loop {
            if line.is_empty() && open.is_none() {
                let first = tokio::select! {
                    biased;
                    first = self.returning.recv() => first,
                    first = self.wishes.recv() => first,
                    () = stop.cancelled() => None,
                };
                match first {
                    Some(first) => line.join(first),
                    None => return,
                }
            }
            self.let_in(&mut line);
            let next = line.take_batch(CAP);
            let (settled, begun) = tokio::join!(self.settle(open.take()), self.begin(next));
            open = begun;
            self.follow_up(settled, &mut line);
        }
    }

    fn let_in(&mut self, line: &mut Line<Waiting>) {
        while let Ok(waiting) = self.returning.try_recv() {
            line.join(waiting);
        }
        while let Ok(waiting) = self.wishes.try_recv() {
            line.join(waiting);
        }
        // Each partition has a line, and the number is of all.
        let waiting = u32::try_from(line.len()).unwrap_or(u32::MAX);
        let more = f64::from(waiting) - f64::from(self.told);
        metrics::gauge!("bigtix_orders_waiting").increment(more);
        self.told = waiting;
    }

    async fn begin(&self, waiting: Vec<Waiting>) -> Option<Open> {
        if waiting.is_empty() {
            return None;
        }
        metrics::histogram!("bigtix_orders_batch").record(u32::try_from(waiting.len()).unwrap_or(u32::MAX));
        let begun = self.batch.begin(&wishes(&waiting)).await;
        Some(Open { waiting, begun })
    }

    /// Answers a batch whose orders are inserted.
    async fn settle(&self, open: Option<Open>) -> Settled {
        let mut settled = Settled::default();
        let Some(Open { waiting, begun }) = open else {
            return settled;
        };
        let fates = self.batch.finish(&wishes(&waiting), begun).await;
        for (waiting, fate) in waiting.into_iter().zip(fates) {
            match fate {
                Fate::Placed(order) => {
                    // A repeated request is answered with its order as it is now: it may be over.
                    if order.state.holds_tickets() && !is_overdue(&order.state, self.batch.clock.now()) {
                        settled.held.extend(waiting.wish.tickets.iter().copied());
                    }
                    if waiting.wish.is_repeated {
                        settled.repeated.insert(waiting.wish.order_id, order.clone());
                    }
                    waiting.say(Ok(order));
                }
                Fate::Failed(PlaceError::Rejected(rejection)) => {
                    settled.note(rejection);
                    waiting.say(Err(rejection.into()));
                }
                Fate::Failed(error) => waiting.say(Err(error)),
                Fate::Again if waiting.tries < PATIENCE => settled.again.push(Waiting {
                    tries: waiting.tries + 1,
                    ..waiting
                }),
                Fate::Again => waiting.say(Err(PlaceError::Unavailable(
                    "The ticket changes hands too often".into(),
                ))),
                Fate::AgainSoon => self.try_again_soon(waiting),
            }
        }
        settled
    }

    /// Whoever waits in the line came before the batch read who holds what. The holder may be one's own order, when the
    /// request ran before: that is looked up.
    fn follow_up(&self, settled: Settled, line: &mut Line<Waiting>) {
        let Settled {
            held,
            withdrawn,
            repeated,
            again,
        } = settled;
        let refused = [
            (held, Rejection::Reserved as fn(TicketId) -> Rejection),
            (withdrawn, Rejection::NotForSale),
        ];
        for (tickets, rejection) in refused {
            for (waiting, ticket) in line.take_waiting_for(&tickets) {
                match repeated.get(&waiting.wish.order_id) {
                    Some(order) => waiting.say(Ok(order.clone())),
                    None if waiting.wish.is_repeated => line.join(waiting),
                    None => waiting.say(Err(rejection(ticket).into())),
                }
            }
        }
        for waiting in again {
            line.join(waiting);
        }
    }

    fn try_again_soon(&self, waiting: Waiting) {
        if waiting.tries >= PATIENCE {
            return waiting.say(Err(PlaceError::Unavailable("The ticket is being edited".into())));
        }
        let again = self.again.clone();
        tokio::spawn(async move {
            tokio::time::sleep(EDIT_PAUSE).await;
            // The clerk is gone only when the process stops; the buyer is told that the outcome is not known.
            let _ = again.send(Waiting {
                tries: waiting.tries + 1,
                ..waiting
            });
        });
    }
}

fn wishes(waiting: &[Waiting]) -> Vec<&Wish> {
    waiting.iter().map(|waiting| &waiting.wish).collect()
}

/// A batch whose orders are inserted and not yet answered.
struct Open {
    waiting: Vec<Waiting>,
    begun: Begun,
}

/// What a batch found out that others can be told.
#[derive(Default)]
struct Settled {
    /// Tickets that somebody holds.
    held: HashSet<TicketId>,
    /// Tickets that are not for sale.
    withdrawn: HashSet<TicketId>,
    /// Orders of requests that ran before.
    repeated: HashMap<OrderId, Versioned<OrderState>>,
    /// Wishes that are to be tried again.
    again: Vec<Waiting>,
}

impl Settled {
    fn note(&mut self, rejection: Rejection) {
        match rejection {
            Rejection::Reserved(ticket) => {
                self.held.insert(ticket);
            }
            Rejection::NotForSale(ticket) => {
                self.withdrawn.insert(ticket);
            }
            Rejection::TicketNotFound
            | Rejection::EventNotFound
            | Rejection::TicketsApart
            | Rejection::OwnTicket
            | Rejection::SoldOut
            | Rejection::AllUnavailable
            | Rejection::TooManyHeld
            | Rejection::TotalTooLarge
            | Rejection::PriceChanged => {}
        }
    }
}
