//! Sending the money back.

use bigtix_contracts::events::{OrderState, OrderStatus};
use bigtix_contracts::{OrderId, PaymentId, UserId};
use tokio::time::Instant;

use super::drive::Applied;
use super::{App, Refusal};
use crate::domain::{Cause, Input, Payment, Phase, Refund};

/// Somebody wants an order's money to go back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RefundWish {
    /// Who.
    pub(crate) caller: UserId,
    /// Whether that is an administrator.
    pub(crate) is_admin: bool,
    /// Which order.
    pub(crate) order: OrderId,
    /// Whether the tickets go back on sale.
    pub(crate) relist: bool,
    /// The request; the same each time a request with an idempotency key is made.
    pub(crate) request: PaymentId,
}

impl App {
    /// Refunds the order's payment, all of it, once.
    pub(crate) async fn refund(&self, wish: RefundWish) -> Result<Payment, Refusal> {
        let until = Instant::now() + self.timing.patience;
        let order = self
            .orders
            .read(wish.order)
            .await?
            .ok_or(Refusal::OrderNotFound)?;
        if !may_refund(&order, &wish) {
            return Err(Refusal::NotOwner);
        }
        let payment = match order.payment_id {
            Some(id) => self.rows.find(id).await?.map(|row| row.payment),
            None => None,
        };
        match (order.status, payment) {
            (OrderStatus::Complete, Some(payment)) => self.refund_payment(payment, &wish, until).await,
            (OrderStatus::Refunded, Some(payment)) if is_by(&payment, wish.request) => {
                self.await_refund(payment.id, until).await
            }
            _ => Err(Refusal::NotRefundable),
        }
    }

    async fn refund_payment(
        &self,
        payment: Payment,
        wish: &RefundWish,
        until: Instant,
    ) -> Result<Payment, Refusal> {
        // The order is complete a moment before its payment says so.
        let settled = self
            .wait_for(payment.id, until, |it| it.is_settled() || is_on_its_way_back(it))
            .await?;
        let payment = settled.ok_or(Refusal::Unknown)?;
        let id = payment.id;
        if payment.phase == Phase::Succeeded {
            let asked = Input::RefundAsked {
                relist: wish.relist,
                request: wish.request,
            };
            if let Applied::Changed(payment) = self.apply(payment, &asked).await? {
                self.drive_on(payment, false, until).await;
            }
        }
        self.await_refund(id, until).await
    }

    async fn await_refund(&self, id: PaymentId, until: Instant) -> Result<Payment, Refusal> {
        let settled = self
            .wait_for(id, until, Payment::is_settled)
            .await?
            .ok_or(Refusal::Unknown)?;
        match &settled.phase {
            Phase::Refunded(_) => Ok(settled),
            Phase::Refunding(_) | Phase::Returned(_) => Err(Refusal::Unknown),
            _ => Err(Refusal::NotRefundable),
        }
    }
}

fn may_refund(order: &OrderState, wish: &RefundWish) -> bool {
    wish.is_admin || order.tickets.iter().all(|ticket| ticket.seller_id == wish.caller)
}

fn is_on_its_way_back(payment: &Payment) -> bool {
    matches!(payment.phase, Phase::Refunding(_) | Phase::Returned(_))
}

/// Whether the refund is the one that `wanted` asked for.
fn is_by(payment: &Payment, wanted: PaymentId) -> bool {
    match &payment.phase {
        Phase::Refunding(Refund {
            cause: Cause::Asked(request),
            ..
        })
        | Phase::Returned(Refund {
            cause: Cause::Asked(request),
            ..
        })
        | Phase::Refunded(Refund {
            cause: Cause::Asked(request),
            ..
        }) => *request == wanted,
        _ => false,
    }
}
