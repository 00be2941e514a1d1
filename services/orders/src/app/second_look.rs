//! The second look at the prices of an order whose claim holds.
//!
//! What an order is placed at may come from an old copy; once its claim holds, the stored copies are right and stay so. Whoever
//! is about to say what an order costs looks again: the batch that placed it, a request that is repeated, the buyer who
//! reads it, payments before it is charged. So nothing is lost with an instance that dies before its own look.

use std::collections::HashMap;

use bigtix_contracts::events::{CancelReason, OrderState, OrderStatus, Versioned};
use bigtix_contracts::{Cents, TicketId};
use mongodb::error::Error;

use crate::adapters::{Copies, Orders};
use crate::domain::order::Guard;
use crate::domain::quote::{Known, Quote, Rejection, Terms, quote_known};

/// How often an order is priced that others change meanwhile.
const ATTEMPTS: usize = 12;

/// Looks at orders again.
#[derive(Clone)]
pub(crate) struct SecondLook {
    pub(crate) copies: Copies,
    pub(crate) orders: Orders,
}

/// What a look came to.
pub(crate) enum Looked {
    /// The order at the prices that count.
    Stands(Versioned<OrderState>),
    /// The order as it was given up, because it cannot be had at those prices.
    GivenUp(Versioned<OrderState>, Rejection),
}

impl SecondLook {
    /// Orders as they may be shown and charged.
    pub(crate) async fn read(
        &self,
        orders: Vec<Versioned<OrderState>>,
    ) -> Result<Vec<Versioned<OrderState>>, Error> {
        let orders = orders.into_iter().map(|order| (order, None)).collect();
        let order_of = |looked: Looked| match looked {
            Looked::Stands(order) | Looked::GivenUp(order, _) => order,
        };
        let looked = self.look(orders).await.into_iter();
        looked.map(|looked| looked.map(order_of)).collect()
    }

    /// Looks at orders, each with the total that its buyer expects; one answer for each, in their order. Only a created
    /// order can still cost something else.
    pub(crate) async fn look(
        &self,
        orders: Vec<(Versioned<OrderState>, Option<Cents>)>,
    ) -> Vec<Result<Looked, Error>> {
        let created = orders.iter().filter(|(order, _)| is_created(&order.state));
        let tickets: Vec<TicketId> = created
            .flat_map(|(order, _)| order.state.tickets.iter().map(|ticket| ticket.id))
            .collect();
        let versions = if tickets.is_empty() {
            HashMap::new()
        } else {
            match self.copies.read_versions(&tickets).await {
                Ok(versions) => versions,
                Err(error) => return orders.iter().map(|_| Err(error.clone())).collect(),
            }
        };
        let mut looked = Vec::with_capacity(orders.len());
        for (order, expected) in orders {
            looked.push(if is_current(&order.state, expected, &versions) {
                Ok(Looked::Stands(order))
            } else {
                self.price_again(order, expected).await
            });
        }
        looked
    }

    async fn price_again(
        &self,
        order: Versioned<OrderState>,
        expected: Option<Cents>,
    ) -> Result<Looked, Error> {
        let mut order = order;
        let tickets: Vec<TicketId> = order.state.tickets.iter().map(|ticket| ticket.id).collect();
        for _ in 0..ATTEMPTS {
            if !is_created(&order.state) {
                return Ok(Looked::Stands(order));
            }
            let copies = self.copies.read_stored(&tickets).await?;
            let (next, rejection) = priced_again(&order.state, &tickets, expected, &copies);
            if next == order.state {
                return Ok(Looked::Stands(order));
            }
            match (
                self.orders.compare_and_set(&order, &next, Guard::None).await?,
                rejection,
            ) {
                (Some(order), None) => return Ok(Looked::Stands(order)),
                (Some(order), Some(rejection)) => return Ok(Looked::GivenUp(order, rejection)),
                // Somebody else may have looked.
                (None, _) => {
                    let found = self.orders.find(order.state.id).await?;
                    order = found.ok_or_else(|| Error::custom("an order is gone"))?;
                }
            }
        }
        Err(Error::custom("an order changed too often to be priced"))
    }
}

fn is_created(order: &OrderState) -> bool {
    order.status == OrderStatus::Created
}

/// Whether an order costs what its buyer expects, and what its tickets cost at these versions.
fn is_current(order: &OrderState, expected: Option<Cents>, versions: &HashMap<TicketId, i64>) -> bool {
    let has_moved = |id: &TicketId, version: i64| versions.get(id).is_some_and(|now| *now > version);
    !is_created(order)
        || (expected.is_none_or(|expected| expected == order.total)
            && !order
                .tickets
                .iter()
                .any(|ticket| has_moved(&ticket.id, ticket.version)))
}

/// The order at what its tickets cost now, or given up and why.
fn priced_again(
    order: &OrderState,
    tickets: &[TicketId],
    expected_total: Option<Cents>,
    copies: &Known,
) -> (OrderState, Option<Rejection>) {
    let terms = Terms {
        buyer: order.user_id,
        expected_total,
    };
    match quote_known(tickets, copies, terms) {
        Ok(Quote { tickets, total }) => {
            let next = OrderState {
                tickets,
                total,
                ..order.clone()
            };
            (next, None)
        }
        Err(rejection) => {
            let given_up = OrderState {
                status: OrderStatus::Cancelled,
                reason: Some(CancelReason::User),
                ..order.clone()
            };
            (given_up, Some(rejection))
        }
    }
}
