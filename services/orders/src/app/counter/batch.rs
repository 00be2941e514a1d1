//! One batch: price, insert, and find out for each order what became of it.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bigtix_contracts::events::{OrderState, OrderStatus, Versioned};
use bigtix_contracts::{TicketId, UserId};
use bigtix_service::clock::StoreClock;
use jiff::{SignedDuration, Timestamp};
use mongodb::error::Error;

use super::{Decide, Fate};

use crate::adapters::documents::OrderDocument;
use crate::adapters::{Claims, Copies, Holder, HolderKind, InsertFate, Orders};
use crate::app::Rules;
use crate::app::place_order::{PlaceError, Wish};
use crate::app::second_look::{Looked, SecondLook};
use crate::domain::lately::HeldLately;
use crate::domain::order::{Command, is_overdue};
use crate::domain::partition::Share;
use crate::domain::quote::{Known, Quote, Rejection, Terms, quote_known};

/// How long to leave a ticket alone whose edit is under way.
const EDIT_PAUSE: Duration = Duration::from_millis(15);

/// A batch whose orders are inserted.
pub(crate) struct Begun {
    /// By wish; those without one were inserted.
    fates: Vec<Option<Fate>>,
    /// By wish, what was inserted and what the index said.
    inserted: Vec<((usize, OrderState), InsertFate)>,
    /// By wish, those whose ticket is likely to be held: nothing was inserted for them.
    passed_over: Vec<usize>,
}

/// What a batch needs.
pub(crate) struct Batch {
    pub(crate) share: Share,
    pub(crate) claims: Claims,
    pub(crate) copies: Copies,
    pub(crate) orders: Orders,
    pub(crate) second_look: SecondLook,
    pub(crate) clock: StoreClock,
    pub(crate) rules: Rules,
    pub(crate) held_lately: Mutex<HeldLately>,
}

impl Wish {
    fn terms(&self) -> Terms {
        Terms {
            buyer: self.buyer,
            expected_total: self.expected_total,
        }
    }
}

impl Decide for Batch {
    type Begun = Begun;

    async fn begin(&self, wishes: &[&Wish]) -> Begun {
        let mut fates: Vec<Option<Fate>> = wishes.iter().map(|_| None).collect();
        let (passed_over, tried) = self.pass_over(wishes);
        let orders = self.price(wishes, &tried, &mut fates).await;
        let inserted = self.insert(wishes, &orders).await;
        Begun {
            fates,
            inserted: orders.into_iter().zip(inserted).collect(),
            passed_over,
        }
    }

    async fn finish(&self, wishes: &[&Wish], begun: Begun) -> Vec<Fate> {
        let Begun {
            mut fates,
            inserted,
            passed_over,
        } = begun;
        let mut held: Vec<usize> = passed_over;
        let mut placed: Vec<(usize, Versioned<OrderState>)> = Vec::new();
        for ((index, order), fate) in inserted {
            match fate {
                InsertFate::Placed => placed.push((
                    index,
                    Versioned {
                        version: 0,
                        state: order,
                    },
                )),
                InsertFate::Unknown => fates[index] = Some(Fate::Failed(PlaceError::Unknown)),
                InsertFate::Exists => fates[index] = Some(self.own_order(wishes[index]).await),
                InsertFate::Held => held.push(index),
            }
        }
        self.answer_held(wishes, &held, &mut fates).await;
        // An earlier run of the same request may have ended between its claim and its second look at the prices.
        for (index, fate) in fates.iter_mut().enumerate() {
            match fate.take() {
                Some(Fate::Placed(order)) if order.state.status == OrderStatus::Created => {
                    placed.push((index, order));
                }
                settled => *fate = settled,
            }
        }
        self.answer_placed(wishes, placed, &mut fates).await;
        self.remember(wishes, &fates);
        fates
            .into_iter()
            .map(|fate| fate.unwrap_or(Fate::Failed(PlaceError::Unknown)))
            .collect()
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn pause() -> impl Future<Output = ()> + Send + 'static {
        tokio::time::sleep(EDIT_PAUSE)
    }
}

impl Batch {
    /// Which wishes only ask who holds their ticket, because somebody did of late, and which are tried. To be refused by the
    /// index takes three commands before that same question. A request that ran before may have an order, and is tried.
    fn pass_over(&self, wishes: &[&Wish]) -> (Vec<usize>, Vec<usize>) {
        let held = self.held_lately();
        let is_likely_held = |index: &usize| {
            let wish = wishes[*index];
            !wish.is_repeated && held.has_any(&wish.tickets)
        };
        (0..wishes.len()).partition(is_likely_held)
    }

    /// What the fates of `wishes` say about their tickets.
    fn remember(&self, wishes: &[&Wish], fates: &[Option<Fate>]) {
        let mut held = self.held_lately();
        for (wish, fate) in wishes.iter().zip(fates) {
            match fate {
                Some(Fate::Placed(_)) => wish.tickets.iter().for_each(|ticket| held.note(*ticket)),
                Some(Fate::Failed(PlaceError::Rejected(Rejection::Reserved(ticket)))) => held.note(*ticket),
                Some(Fate::Again) => wish.tickets.iter().for_each(|ticket| held.forget(*ticket)),
                Some(Fate::Failed(_) | Fate::AgainSoon) | None => {}
            }
        }
    }

    fn held_lately(&self) -> MutexGuard<'_, HeldLately> {
        // Nothing inside panics half-way.
        self.held_lately.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The orders that may be inserted of those that are `tried`; the other ones of them get their fate.
    async fn price(
        &self,
        wishes: &[&Wish],
        tried: &[usize],
        fates: &mut [Option<Fate>],
    ) -> Vec<(usize, OrderState)> {
        if tried.is_empty() {
            return Vec::new();
        }
        let tickets: Vec<TicketId> = tried
            .iter()
            .flat_map(|index| wishes[*index].tickets.iter().copied())
            .collect();
        let buyers: HashSet<UserId> = tried.iter().map(|index| wishes[*index].buyer).collect();
        let buyers: Vec<UserId> = buyers.into_iter().collect();
        let (copies, held) = tokio::join!(self.copies.read(&tickets), self.orders.count_held(&buyers));
        let (copies, mut held) = match (copies, held) {
            (Ok(copies), Ok(held)) => (copies, held),
            (copies, held) => {
                let reason = copies
                    .err()
                    .map(|e| e.to_string())
                    .or(held.err().map(|e| e.to_string()))
                    .unwrap_or_default();
                tracing::warn!(reason, "a batch could not be priced");
                for index in tried {
                    let unavailable = PlaceError::Unavailable("Tickets cannot be read right now".into());
                    fates[*index] = Some(Fate::Failed(unavailable));
                }
                return Vec::new();
            }
        };
        let mut orders = Vec::with_capacity(tried.len());
        for index in tried.iter().copied() {
            let wish = wishes[index];
            match self.price_one(wish, &copies, &mut held).await {
                Ok(quote) => orders.push((index, self.new_order(wish, quote))),
                Err(error) => fates[index] = Some(self.refused(wish, error).await),
            }
        }
        orders
    }

    /// What cannot be had any more may have been had by an earlier run of the same request.
    async fn refused(&self, wish: &Wish, error: PlaceError) -> Fate {
        if !wish.is_repeated || !matches!(error, PlaceError::Rejected(_)) {
            return Fate::Failed(error);
        }
        match self.orders.find(wish.order_id).await {
            Ok(Some(order)) if order.state.user_id == wish.buyer => Fate::Placed(order),
            Ok(_) => Fate::Failed(error),
            Err(unread) => Fate::Failed(unread.into()),
        }
    }

    async fn price_one(
        &self,
        wish: &Wish,
        copies: &Known,
        held: &mut HashMap<UserId, usize>,
    ) -> Result<Quote, PlaceError> {
        let price = |copies: &Known| quote_known(&wish.tickets, copies, wish.terms());
        let quoted = match price(copies) {
            // A copy in memory may be old; nobody is told of a changed price because of that.
            Err(Rejection::PriceChanged | Rejection::TotalTooLarge) => {
                price(&self.copies.read_stored(&wish.tickets).await?)?
            }
            quoted => quoted?,
        };
        // Another partition's index knows nothing of a claim that is made here.
        if !quoted.tickets.iter().all(|ticket| self.share.has(ticket)) {
            return Err(Rejection::TicketsApart.into());
        }
        let held = held.entry(wish.buyer).or_default();
        if *held + wish.tickets.len() > self.rules.max_held {
            return Err(Rejection::TooManyHeld.into());
        }
        *held += wish.tickets.len();
        Ok(quoted)
    }

    fn new_order(&self, wish: &Wish, quote: Quote) -> OrderState {
        let now = self.clock.now();
        let reservation =
            SignedDuration::try_from(self.rules.reservation).unwrap_or(SignedDuration::from_secs(900));
        OrderState {
            id: wish.order_id,
            user_id: wish.buyer,
            status: OrderStatus::Created,
            reason: None,
            expires_at: now + reservation,
            created_at: now,
            total: quote.total,
            tickets: quote.tickets,
            payment_id: None,
            relisted: false,
            turn: None,
        }
    }

    async fn insert(&self, wishes: &[&Wish], orders: &[(usize, OrderState)]) -> Vec<InsertFate> {
        if orders.is_empty() {
            return Vec::new();
        }
        let document = |(index, order): &(usize, OrderState)| {
            OrderDocument::to_insert(order, wishes[*index].traceparent.clone())
        };
        self.claims
            .insert(&orders.iter().map(document).collect::<Vec<_>>())
            .await
    }

    /// The order that an earlier run of the same request placed.
    async fn own_order(&self, wish: &Wish) -> Fate {
        match self.orders.find(wish.order_id).await {
            Ok(Some(order)) if order.state.user_id == wish.buyer => Fate::Placed(order),
            Ok(_) => Fate::Failed(PlaceError::Unknown),
            Err(error) => Fate::Failed(error.into()),
        }
    }

    async fn answer_held(&self, wishes: &[&Wish], held: &[usize], fates: &mut [Option<Fate>]) {
        if held.is_empty() {
            return;
        }
        let tickets: Vec<TicketId> = held
            .iter()
            .flat_map(|index| wishes[*index].tickets.iter().copied())
            .collect();
        let holders = self.claims.holders(&tickets).await;
        for index in held {
            fates[*index] = Some(match &holders {
                Ok(holders) => self
                    .answer_one_held(wishes[*index], holders)
                    .await
                    .unwrap_or_else(|error| Fate::Failed(error.into())),
                Err(error) => Fate::Failed(PlaceError::Unavailable(format!(
                    "Who holds the ticket cannot be read: {error}"
                ))),
            });
        }
    }

    async fn answer_one_held(&self, wish: &Wish, holders: &[Holder]) -> Result<Fate, Error> {
        let mut fate = Fate::Again;
        for holder in holders {
            let Some(ticket) = wish
                .tickets
                .iter()
                .find(|ticket| holder.tickets.contains(ticket))
                .copied()
            else {
                continue;
            };
            match &holder.kind {
                HolderKind::Order(order) if holder.id == wish.order_id => {
                    return Ok(Fate::Placed((**order).clone()));
                }
                HolderKind::Order(order) if is_overdue(&order.state, self.clock.now()) => {
                    self.orders.apply(holder.id, Command::Expire).await?;
                }
                HolderKind::Order(_) => return Ok(Fate::Failed(Rejection::Reserved(ticket).into())),
                HolderKind::Withdrawn => return Ok(Fate::Failed(Rejection::NotForSale(ticket).into())),
                HolderKind::Edit => fate = Fate::AgainSoon,
            }
        }
        Ok(fate)
    }

    /// An order whose ticket moved between its pricing and its claim takes the new snapshot before it is answered.
    async fn answer_placed(
        &self,
        wishes: &[&Wish],
        placed: Vec<(usize, Versioned<OrderState>)>,
        fates: &mut [Option<Fate>],
    ) {
        let (indices, orders): (Vec<usize>, Vec<_>) = placed
            .into_iter()
            .map(|(index, order)| (index, (order, wishes[index].expected_total)))
            .unzip();
        for (index, looked) in indices.into_iter().zip(self.second_look.look(orders).await) {
            fates[index] = Some(match looked {
                Ok(Looked::Stands(order)) => Fate::Placed(order),
                Ok(Looked::GivenUp(_, rejection)) => Fate::Failed(rejection.into()),
                Err(_) => Fate::Failed(PlaceError::Unknown),
            });
        }
    }
}
