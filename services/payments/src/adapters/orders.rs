//! The orders service, which decides what may be paid for.

use bigtix_contracts::events::{OrderState, Versioned};
use bigtix_contracts::internal::{ConfirmOrder, ConfirmOutcome, ReadOrder, RefundOrder, SettleOrder, paths};
use bigtix_contracts::{OrderId, PaymentId};
use bigtix_service::internal::{CallError, Peer};

use crate::domain::{Closure, Input, Payment, completed, confirmed};

/// Calls the orders service; cheap to clone.
#[derive(Clone)]
pub(crate) struct Orders(Peer);

impl Orders {
    /// Calls it through `peer`.
    pub(crate) fn new(peer: Peer) -> Self {
        Self(peer)
    }

    /// The order, or `None` when there is no such order.
    ///
    /// # Errors
    /// [`CallError`], but never that it was not found.
    pub(crate) async fn read(&self, order_id: OrderId) -> Result<Option<OrderState>, CallError> {
        match self
            .0
            .call::<_, Versioned<OrderState>>(paths::READ_ORDER, &ReadOrder { order_id })
            .await
        {
            Ok(order) => Ok(Some(order.state)),
            Err(CallError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Asks that the order await this payment.
    ///
    /// # Errors
    /// [`CallError`]: the order may await it.
    pub(crate) async fn confirm(&self, payment: &Payment) -> Result<Input, CallError> {
        let question = ConfirmOrder {
            order_id: payment.order_id,
            payment_id: payment.id,
        };
        let outcome = self.0.call(paths::CONFIRM, &question).await;
        let missing = Input::OrderClosed(Closure::Cancelled);
        settled(outcome, missing, |order| confirmed(payment, order))
    }

    /// Asks that the order be complete.
    ///
    /// # Errors
    /// [`CallError`]: it may be complete.
    pub(crate) async fn complete(&self, payment: &Payment) -> Result<Input, CallError> {
        let outcome = self.0.call(paths::COMPLETE, &settle(payment)).await;
        let missing = Input::OrderClosed(Closure::Cancelled);
        settled(outcome, missing, |order| completed(payment, order))
    }

    /// Says that the order need not wait for this payment any more.
    ///
    /// # Errors
    /// [`CallError`]: it may wait still.
    pub(crate) async fn fail(&self, payment: &Payment) -> Result<Input, CallError> {
        settled(
            self.0.call(paths::FAIL, &settle(payment)).await,
            Input::OrderFailed,
            |_| Input::OrderFailed,
        )
    }

    /// Says that the money went back.
    ///
    /// # Errors
    /// [`CallError`]: it may know already.
    pub(crate) async fn refund(&self, payment: &Payment, relist: bool) -> Result<Input, CallError> {
        let question = RefundOrder {
            order_id: payment.order_id,
            payment_id: payment.id,
            relist,
        };
        settled(
            self.0.call(paths::REFUND, &question).await,
            Input::OrderRefunded,
            |_| Input::OrderRefunded,
        )
    }
}

fn settle(payment: &Payment) -> SettleOrder {
    let (order_id, payment_id): (OrderId, PaymentId) = (payment.order_id, payment.id);
    SettleOrder { order_id, payment_id }
}

/// What an outcome means, which the order as it is says.
fn settled(
    outcome: Result<ConfirmOutcome, CallError>,
    missing: Input,
    read: impl FnOnce(&OrderState) -> Input,
) -> Result<Input, CallError> {
    match outcome {
        Ok(ConfirmOutcome::Done { order } | ConfirmOutcome::Closed { order }) => Ok(read(&order.state)),
        Err(CallError::NotFound { .. }) => Ok(missing),
        Err(error) => Err(error),
    }
}
