//! Why a use case was not carried out.

use bigtix_service::internal::CallError;

use crate::domain::Closure;

/// Why a use case was not carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// There is no such order.
    #[error("Order not found")]
    OrderNotFound,
    /// Nobody has tried to pay for the order.
    #[error("Payment not found")]
    PaymentNotFound,
    /// The order is somebody else's.
    #[error("Not authorized")]
    NotOwner,
    /// Nothing can be paid for the order any more.
    #[error("the order is closed: {0:?}")]
    OrderClosed(Closure),
    /// The buyer expected another amount.
    #[error("Payment amount does not match order amount")]
    AmountDiffers,
    /// More than can be charged.
    #[error("Order total is too large")]
    TotalTooLarge,
    /// Stripe refused the card; in its words for buyers.
    #[error("{0}")]
    Declined(String),
    /// Stripe knows no such token.
    #[error("Token is invalid")]
    SourceRefused,
    /// The order's money cannot go back.
    #[error("Only a complete order can be refunded")]
    NotRefundable,
    /// Stripe could not be brought to do it; nothing happened.
    #[error("The payment provider cannot be used right now")]
    ProviderUnavailable,
    /// It is not known yet what came of it.
    #[error("the outcome is not known yet")]
    Unknown,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] mongodb::error::Error),
    /// The orders service failed.
    #[error(transparent)]
    Orders(#[from] CallError),
}

impl Refusal {
    /// The attempt came to nothing before anything was taken, and the order can be paid anew.
    pub(super) fn given_up() -> Self {
        Self::Declined("The payment was given up before it was made.".into())
    }
}
