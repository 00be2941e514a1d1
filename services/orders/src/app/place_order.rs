//! Placing one order of given tickets, all or nothing.

use bigtix_contracts::events::{OrderState, Versioned};
use bigtix_contracts::{Cents, OrderId, TicketId, UserId};
use bigtix_service::internal::CallError;

use super::Partition;
use crate::domain::quote::Rejection;

/// What a buyer asks for.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    /// The id that the order will have, but that its partition may yet be put into it.
    pub(crate) order_id: OrderId,
    /// Whether an earlier run of the same request may have placed the order.
    pub(crate) is_repeated: bool,
    /// Who asks.
    pub(crate) buyer: UserId,
    /// One to twenty different tickets.
    pub(crate) tickets: Vec<TicketId>,
    /// What the buyer expects to pay in all.
    pub(crate) expected_total: Option<Cents>,
    /// The request's trace context.
    pub(crate) traceparent: Option<String>,
}

/// Why there is no order to answer with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlaceError {
    /// A rule forbids it.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// Nothing was placed; something that is needed is away.
    #[error("{0}")]
    Unavailable(String),
    /// Nobody knows whether it was placed.
    #[error("the outcome is not known")]
    Unknown,
    /// The store failed while reading.
    #[error(transparent)]
    Store(#[from] mongodb::error::Error),
    /// The tickets service failed.
    #[error(transparent)]
    Owner(#[from] CallError),
}

impl From<crate::adapters::copies::CopyError> for PlaceError {
    fn from(error: crate::adapters::copies::CopyError) -> Self {
        match error {
            crate::adapters::copies::CopyError::Store(error) => Self::Store(error),
            crate::adapters::copies::CopyError::Owner(error) => Self::Owner(error),
        }
    }
}

impl Partition {
    /// Places the order; with the others that wait, in one insert.
    pub(crate) async fn place_order(&self, wish: Wish) -> Result<Versioned<OrderState>, PlaceError> {
        self.counter.place(wish).await
    }

    /// The order that an earlier run of the same request placed, at the prices that count.
    pub(crate) async fn placed_before(
        &self,
        wish: &Wish,
    ) -> Result<Option<Versioned<OrderState>>, PlaceError> {
        if !wish.is_repeated {
            return Ok(None);
        }
        let Some(order) = self.orders.find(wish.order_id).await? else {
            return Ok(None);
        };
        let tickets = order.state.tickets.iter().map(|ticket| ticket.id).collect();
        let again = Wish {
            tickets,
            ..wish.clone()
        };
        self.place_order(again).await.map(Some)
    }
}
