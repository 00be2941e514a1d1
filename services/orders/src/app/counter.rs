//! Where orders are placed: group commit.
//!
//! A wish is sent at once when no batch is under way; else it waits with the others and goes with the next batch, so
//! that batches size themselves to the load and a lone wish pays nothing for them. One unordered insert decides a
//! batch; the unique index decides each order in it.

mod batch;
#[cfg(test)]
mod interleavings;

use std::collections::{HashMap, HashSet};

use bigtix_contracts::events::{OrderState, Versioned};
use bigtix_contracts::{OrderId, TicketId};
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use jiff::Timestamp;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

pub(crate) use self::batch::Batch;
use super::place_order::{PlaceError, Wish};
use crate::domain::line::{Line, Wants};
use crate::domain::order::is_overdue;
use crate::domain::quote::Rejection;

/// The most orders of one insert.
const CAP: usize = 200;
/// How many wishes may wait before the counter says that it is overloaded.
const QUEUE: usize = 8192;
/// How often a wish is tried again because of what held its ticket for a moment.
const PATIENCE: u32 = 200;

type Answer = Result<Versioned<OrderState>, PlaceError>;

/// What becomes of wishes: the store says it, and in tests of interleavings a small one in memory.
pub(crate) trait Decide {
    /// A batch whose orders are inserted.
    type Begun;

    /// Prices and inserts orders for `wishes`, of which no two want the same ticket.
    async fn begin(&self, wishes: &[&Wish]) -> Self::Begun;

    /// Finds out what became of what was begun for the same `wishes`; one fate for each, in their order.
    async fn finish(&self, wishes: &[&Wish], begun: Self::Begun) -> Vec<Fate>;

    /// The time by which orders end.
    fn now(&self) -> Timestamp;

    /// Lets pass as long as a ticket is left alone whose edit is under way.
    fn pause() -> impl Future<Output = ()> + Send + 'static;
}

/// What became of one wish.
pub(crate) enum Fate {
    /// The order stands.
    Placed(Versioned<OrderState>),
    /// There is none.
    Failed(PlaceError),
    /// What held a ticket is gone; try again.
    Again,
    /// What holds a ticket does so for a moment; try again after a pause.
    AgainSoon,
}

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

    fn give_up(self, reason: &str) {
        self.say(Err(PlaceError::Unavailable(reason.into())));
    }

    /// One more try, if there was patience left for it.
    fn once_more(self) -> Result<Self, Self> {
        if self.tries >= PATIENCE {
            return Err(self);
        }
        let tries = self.tries + 1;
        Ok(Self { tries, ..self })
    }
}

/// Takes wishes.
#[derive(Clone)]
pub(crate) struct Counter {
    wishes: mpsc::Sender<Waiting>,
}

/// Serves wishes, batch by batch.
pub(crate) struct Clerk<D> {
    wishes: mpsc::Receiver<Waiting>,
    /// Those who come again after a pause.
    pausing: FuturesUnordered<BoxFuture<'static, Waiting>>,
    batch: D,
    /// How many waited when that was last told.
    told: u32,
}

/// A counter and the clerk that serves it.
pub(crate) fn open<D: Decide>(batch: D) -> (Counter, Clerk<D>) {
    let (sender, wishes) = mpsc::channel(QUEUE);
    (
        Counter { wishes: sender },
        Clerk {
            wishes,
            pausing: FuturesUnordered::new(),
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
        self.wishes.try_send(waiting).map_err(|error| {
            let reason = match error {
                TrySendError::Full(_) => "Too many orders are being placed at once",
                TrySendError::Closed(_) => "The service is stopping",
            };
            PlaceError::Unavailable(reason.into())
        })?;
        fate.await.unwrap_or(Err(PlaceError::Unknown))
    }
}

impl<D: Decide> Clerk<D> {
    /// Serves until told to stop, then those who wait already. While one batch is answered the next one is begun.
    pub(crate) async fn serve(mut self, stop: CancellationToken) {
        let mut line: Line<Waiting> = Line::new();
        let mut open = None;
        loop {
            if line.is_empty() && open.is_none() {
                match self.whoever_comes(&stop).await {
                    Some(first) => line.join(first),
                    None => return,
                }
            }
            self.let_in(&mut line);
            let next = line.take_batch(CAP);
            let (settled, begun) = tokio::join!(settle(&self.batch, open.take()), begin(&self.batch, next));
            open = begun;
            self.follow_up(settled, &mut line);
        }
    }

    /// The next who wants something; nobody when all who came before the end are served.
    async fn whoever_comes(&mut self, stop: &CancellationToken) -> Option<Waiting> {
        loop {
            tokio::select! {
                biased;
                Some(again) = self.pausing.next() => return Some(again),
                Some(waiting) = self.wishes.recv() => return Some(waiting),
                // Nobody comes in behind the last one who is served, to be told that nothing is known.
                () = stop.cancelled(), if !self.wishes.is_closed() => self.wishes.close(),
                else => return None,
            }
        }
    }

    fn let_in(&mut self, line: &mut Line<Waiting>) {
        while let Some(Some(again)) = self.pausing.next().now_or_never() {
            line.join(again);
        }
        while let Ok(waiting) = self.wishes.try_recv() {
            line.join(waiting);
        }
        // Whoever hung up keeps no ticket from those who still wait.
        line.leave(|waiting| waiting.answer.is_closed());
        // Each partition has a line, and the number is of all.
        let waiting = u32::try_from(line.len()).unwrap_or(u32::MAX);
        let more = f64::from(waiting) - f64::from(self.told);
        metrics::gauge!("bigtix_orders_waiting").increment(more);
        self.told = waiting;
    }

    /// Whoever waits in the line came before the batch read who holds what. The holder may be one's own order, when the
    /// request ran before: that is looked up.
    fn follow_up(&mut self, settled: Settled, line: &mut Line<Waiting>) {
        let Settled {
            held,
            withdrawn,
            repeated,
            again,
            again_soon,
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
        for waiting in again_soon {
            let pause = D::pause();
            self.pausing.push(
                async {
                    pause.await;
                    waiting
                }
                .boxed(),
            );
        }
    }
}

async fn begin<D: Decide>(batch: &D, waiting: Vec<Waiting>) -> Option<Open<D::Begun>> {
    if waiting.is_empty() {
        return None;
    }
    metrics::histogram!("bigtix_orders_batch").record(u32::try_from(waiting.len()).unwrap_or(u32::MAX));
    let begun = batch.begin(&wishes(&waiting)).await;
    Some(Open { waiting, begun })
}

/// Answers a batch whose orders are inserted.
async fn settle<D: Decide>(batch: &D, open: Option<Open<D::Begun>>) -> Settled {
    let mut settled = Settled::default();
    let Some(Open { waiting, begun }) = open else {
        return settled;
    };
    let fates = batch.finish(&wishes(&waiting), begun).await;
    for (waiting, fate) in waiting.into_iter().zip(fates) {
        match fate {
            Fate::Placed(order) => {
                // A repeated request is answered with its order as it is now: it may be over.
                if order.state.holds_tickets() && !is_overdue(&order.state, batch.now()) {
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
            Fate::Again => match waiting.once_more() {
                Ok(waiting) => settled.again.push(waiting),
                Err(waiting) => waiting.give_up("The ticket changes hands too often"),
            },
            Fate::AgainSoon => match waiting.once_more() {
                Ok(waiting) => settled.again_soon.push(waiting),
                Err(waiting) => waiting.give_up("The ticket is being edited"),
            },
        }
    }
    settled
}

fn wishes(waiting: &[Waiting]) -> Vec<&Wish> {
    waiting.iter().map(|waiting| &waiting.wish).collect()
}

/// A batch whose orders are inserted and not yet answered.
struct Open<B> {
    waiting: Vec<Waiting>,
    begun: B,
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
    /// Wishes that are to be tried again after a pause.
    again_soon: Vec<Waiting>,
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
