//! Paying for an order.

use bigtix_contracts::events::OrderState;
use bigtix_contracts::{Cents, OrderId, PaymentId, UserId};
use tokio::time::Instant;

use super::drive::Applied;
use super::{App, Refusal};
use crate::adapters::rows::{Inserted, Row};
use crate::adapters::stripe::LARGEST;
use crate::domain::{Cause, Closure, Failure, Input, Payment, Phase, Refund, Source};

/// Somebody wants to pay.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    /// Who.
    pub(crate) buyer: UserId,
    /// For what.
    pub(crate) order: OrderId,
    /// With what.
    pub(crate) source: Source,
    /// How much the buyer expects it to be.
    pub(crate) expected: Option<Cents>,
    /// The id of the payment that is made for it, unless another one answers it.
    pub(crate) id: PaymentId,
    /// Whether an earlier run of the same request may have made the payment.
    pub(crate) is_repeated: bool,
    /// The trace that the request belongs to.
    pub(crate) traceparent: Option<String>,
}

impl App {
    /// Pays: 201 with a payment that is `succeeded`, the order being complete, or `requires_action`.
    pub(crate) async fn pay(&self, wish: Wish) -> Result<Payment, Refusal> {
        let until = Instant::now() + self.timing.patience;
        let order = self.order_of(wish.order, wish.buyer).await?;
        if wish.is_repeated
            && let Some(row) = self.rows.find(wish.id).await?
        {
            return self.repeat(row, until).await;
        }
        check(&order, &wish)?;
        loop {
            let payment = Payment::begin(
                wish.id,
                wish.order,
                wish.buyer,
                order.total,
                wish.source.clone(),
                self.timing.clock.now(),
            );
            match self.rows.insert(&payment, wish.traceparent.clone()).await? {
                Inserted::New => return self.begin(payment, until).await,
                Inserted::SameId => return self.answer(wish.id, until).await,
                Inserted::OtherIsLive => {}
            }
            // One that ended in between leaves the way free.
            if let Some(other) = self.rows.live_of(wish.order).await?
                && let Some(answer) = self.join(other.payment, until).await?
            {
                return Ok(answer);
            }
            if Instant::now() >= until {
                return Err(Refusal::Unknown);
            }
        }
    }

    /// The order, when it is the buyer's.
    pub(super) async fn order_of(&self, id: OrderId, buyer: UserId) -> Result<OrderState, Refusal> {
        let order = self.orders.read(id).await?.ok_or(Refusal::OrderNotFound)?;
        if order.user_id == buyer {
            Ok(order)
        } else {
            Err(Refusal::NotOwner)
        }
    }

    /// The order's latest payment, for its buyer.
    pub(crate) async fn latest_payment(&self, order: OrderId, buyer: UserId) -> Result<Payment, Refusal> {
        match self.rows.latest_of(order).await? {
            Some(row) if row.payment.user_id == buyer => Ok(row.payment),
            Some(_) => Err(Refusal::NotOwner),
            None => self
                .order_of(order, buyer)
                .await
                .and(Err(Refusal::PaymentNotFound)),
        }
    }

    /// Drives a payment that was inserted just now.
    async fn begin(&self, payment: Payment, until: Instant) -> Result<Payment, Refusal> {
        let id = payment.id;
        match self.drive_on(payment, true, until).await {
            Some(payment) if payment.is_settled() => outcome(payment),
            _ => self.answer(id, until).await,
        }
    }

    /// Waits for a payment and answers with what came of it.
    async fn answer(&self, id: PaymentId, until: Instant) -> Result<Payment, Refusal> {
        outcome(self.decided(id, until).await?)
    }

    /// Waits until it is known what came of the attempt to pay, or the patience ends.
    pub(super) async fn decided(&self, id: PaymentId, until: Instant) -> Result<Payment, Refusal> {
        self.wait_for(id, until, is_decided)
            .await?
            .ok_or(Refusal::Unknown)
    }

    /// The payment that this very request made before, as it is now.
    async fn repeat(&self, row: Row, until: Instant) -> Result<Payment, Refusal> {
        let settled = self.decided(row.payment.id, until).await?;
        // What the first answer said was so then.
        if settled.bank_asked {
            return Ok(settled);
        }
        match &settled.phase {
            Phase::Refunding(Refund {
                cause: Cause::Asked(_) | Cause::Stripe,
                ..
            })
            | Phase::Returned(_)
            | Phase::Refunded(Refund {
                cause: Cause::Asked(_) | Cause::Stripe,
                ..
            }) => Ok(settled),
            _ => outcome(settled),
        }
    }

    /// The answer of a payment that another request began; `None` when it has ended and the order can be paid anew.
    async fn join(&self, other: Payment, until: Instant) -> Result<Option<Payment>, Refusal> {
        let id = other.id;
        if other.phase == Phase::RequiresAction
            && let Applied::Changed(given_up) = self.apply(other, &Input::Superseded).await?
        {
            self.drive_on(given_up, false, until).await;
        }
        let settled = self.decided(id, until).await?;
        match &settled.phase {
            Phase::Cancelled(Closure::Superseded) => Ok(None),
            _ => outcome(settled).map(Some),
        }
    }
}

/// Whether it is known what came of the attempt to pay, whatever happens to the money later.
fn is_decided(payment: &Payment) -> bool {
    payment.is_settled() || matches!(payment.phase, Phase::Refunding(_) | Phase::Returned(_)) || !payment.live
}

/// What a settled payment is answered with.
pub(super) fn outcome(payment: Payment) -> Result<Payment, Refusal> {
    match &payment.phase {
        Phase::Succeeded | Phase::RequiresAction => Ok(payment),
        Phase::Failed(Failure::Declined(message)) => Err(Refusal::Declined(message.clone())),
        Phase::Failed(Failure::Source) => Err(Refusal::SourceRefused),
        Phase::Failed(Failure::Provider) => Err(Refusal::ProviderUnavailable),
        Phase::Failed(Failure::Lapsed) => Err(Refusal::given_up()),
        Phase::Cancelled(why) => Err(Refusal::OrderClosed(*why)),
        Phase::Refunding(refund) | Phase::Returned(refund) | Phase::Refunded(refund) => match &refund.cause {
            Cause::SafetyNet(why) => Err(Refusal::OrderClosed(*why)),
            Cause::Asked(_) | Cause::Stripe => Err(Refusal::OrderClosed(Closure::Complete)),
        },
        Phase::Voiding(end) if !payment.live => outcome(Payment {
            phase: end.clone().phase(),
            ..payment
        }),
        Phase::Lapsed(why) if !payment.live => outcome(Payment {
            phase: Phase::Failed(why.clone()),
            ..payment
        }),
        Phase::Creating
        | Phase::Authorised
        | Phase::Capturing
        | Phase::Captured
        | Phase::Voiding(_)
        | Phase::Lapsed(_) => Err(Refusal::Unknown),
    }
}

fn check(order: &OrderState, wish: &Wish) -> Result<(), Refusal> {
    if let Some(why) = Closure::of(order) {
        return Err(Refusal::OrderClosed(why));
    }
    if wish.expected.is_some_and(|expected| expected != order.total) {
        return Err(Refusal::AmountDiffers);
    }
    if order.total > LARGEST {
        Err(Refusal::TotalTooLarge)
    } else {
        Ok(())
    }
}
