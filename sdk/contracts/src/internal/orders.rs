use serde::{Deserialize, Serialize};

use crate::events::{OrderState, TicketState, Versioned};
use crate::{OrderId, PaymentId, TicketId};

/// Why a ticket is claimed without being bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClaimKind {
    /// For the moment of an edit.
    Edit,
    /// For ever.
    Withdrawn,
}

/// Claims one ticket for its seller. Repeating it with the same id changes nothing.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Claim {
    /// Chosen by the caller: 24 hexadecimal digits.
    pub claim_id: OrderId,
    /// What for.
    pub kind: ClaimKind,
    /// The ticket.
    pub ticket_id: TicketId,
}

/// What became of a [`Claim`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "outcome")]
pub enum ClaimOutcome {
    /// The caller holds the ticket.
    Claimed,
    /// An order or another claim holds it.
    Taken,
    /// The claim was released before it arrived; it will never hold.
    Released,
}

/// Ends an `edit` claim; or, with a withdrawn state, makes it stay. The state goes into the copy of orders first.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReleaseClaim {
    /// The claim.
    pub claim_id: OrderId,
    /// The ticket as it is now. A withdrawn ticket keeps its claim.
    pub ticket: Versioned<TicketState>,
}

/// Moves a created order to awaiting payment, for one payment.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfirmOrder {
    /// The order.
    pub order_id: OrderId,
    /// The payment whose money is authorised.
    pub payment_id: PaymentId,
}

/// Moves an order that awaits payment to complete, or to cancelled (failed).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SettleOrder {
    /// The order.
    pub order_id: OrderId,
    /// The payment that confirmed it.
    pub payment_id: PaymentId,
}

/// Moves a complete order to refunded.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefundOrder {
    /// The order.
    pub order_id: OrderId,
    /// The payment that was refunded.
    pub payment_id: PaymentId,
    /// Whether its tickets go back on sale.
    pub relist: bool,
}

/// What became of a transition that payments asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "outcome")]
pub enum ConfirmOutcome {
    /// The order is, by now, in the state that was asked for, by this payment.
    Done {
        /// The order as it is now.
        order: Versioned<OrderState>,
    },
    /// The order is in another state and will not come to this one by this payment.
    Closed {
        /// The order as it is now.
        order: Versioned<OrderState>,
    },
}

/// Asks for one order.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReadOrder {
    /// The order.
    pub order_id: OrderId,
}
