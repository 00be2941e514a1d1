//! The foreign calls, and what their answers mean.

use bigtix_contracts::OrderId;
use bigtix_service::internal::CallError;

use super::App;
use crate::adapters::stripe::StripeError;
use crate::domain::{Call, Closure, Input, Intent, IntentId, Payment};

/// A call settled nothing; why.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unsettled {
    /// Stripe did not answer in a way that decides.
    #[error("Stripe: {0}")]
    Stripe(#[from] StripeError),
    /// The orders service did not.
    #[error("orders: {0}")]
    Orders(#[from] CallError),
}

impl App {
    /// Makes `call` for `payment`. `first` says that no attempt at it can have been made before.
    pub(super) async fn make(&self, call: Call, payment: &Payment, first: bool) -> Result<Input, Unsettled> {
        match (call, payment.intent.as_ref()) {
            (Call::Create | Call::Find, _) => self.create(payment, first).await,
            (Call::Watch, _) => match self.stripe.find(payment).await? {
                Some(intent) => Ok(Input::Seen(intent)),
                None => Ok(Input::NoIntent),
            },
            (Call::LookAtAction, intent) => self.look_at_action(payment.order_id, intent).await,
            (Call::Retrieve, Some(intent)) => Ok(Input::Seen(self.stripe.retrieve(intent).await?)),
            (Call::Confirm, _) => Ok(self.orders.confirm(payment).await?),
            (Call::Complete, _) => Ok(self.orders.complete(payment).await?),
            (Call::Fail, _) => Ok(self.orders.fail(payment).await?),
            (Call::TellRefund, _) => Ok(self.orders.refund(payment, payment.relists()).await?),
            (Call::Capture, Some(intent)) => {
                let answer = self.stripe.capture(intent).await;
                self.answer_or_look(intent, answer).await
            }
            (Call::Cancel, Some(intent)) => {
                let answer = self.stripe.cancel(intent).await;
                self.answer_or_look(intent, answer).await
            }
            (Call::Refund, Some(intent)) => self.refund_money(payment, intent).await,
            (Call::ReadRefund, _) => {
                let refund = self
                    .stripe
                    .read_refund(payment.refund_id.as_deref().unwrap_or_default())
                    .await?;
                Ok(Input::RefundSeen {
                    id: refund.id,
                    status: refund.status,
                })
            }
            // A phase with one of these calls has an intent; without one, finding it comes first.
            (Call::Retrieve | Call::Capture | Call::Cancel | Call::Refund, None) => {
                self.create(payment, first).await
            }
        }
    }

    /// The intent that was made for the payment, or one that is made now. An attempt that may have been made before is
    /// looked for first: under its key Stripe repeats its own errors for ever, and some doubles ignore keys.
    async fn create(&self, payment: &Payment, first: bool) -> Result<Input, Unsettled> {
        if !first && let Some(intent) = self.stripe.find(payment).await? {
            return Ok(Input::Seen(intent));
        }
        if !payment.create_is_safe(self.timing.clock.now()) {
            return Ok(Input::NoIntent);
        }
        match self.stripe.create(payment).await {
            Ok(intent) => Ok(Input::Seen(intent)),
            Err(StripeError::Declined { message, intent }) => Ok(Input::Declined { message, intent }),
            Err(StripeError::Source(why)) => {
                tracing::info!(payment = %payment.id, why, "Stripe refused what the buyer pays with");
                Ok(Input::SourceRefused)
            }
            Err(StripeError::Refused { status, reason }) => {
                tracing::error!(payment = %payment.id, status, reason, "Stripe refused a payment");
                Ok(Input::ProviderRefused)
            }
            Err(error @ (StripeError::Broken(_) | StripeError::NoAnswer(_) | StripeError::Unreadable)) => {
                self.look_for_remains(payment, error).await
            }
            Err(error @ StripeError::Busy(_)) => Err(error.into()),
        }
    }

    /// After an attempt that nobody explained.
    async fn look_for_remains(&self, payment: &Payment, error: StripeError) -> Result<Input, Unsettled> {
        if let Some(intent) = self.stripe.find(payment).await? {
            return Ok(Input::Seen(intent));
        }
        let given_up = payment.created_at + self.timing.give_up <= self.timing.clock.now();
        // Only an attempt that Stripe ended can be given up; one without an answer may still be on its way.
        match error {
            StripeError::Broken(_) if given_up => Ok(Input::NoIntent),
            error => Err(error.into()),
        }
    }

    async fn look_at_action(&self, order: OrderId, intent: Option<&IntentId>) -> Result<Input, Unsettled> {
        let closed = match self.orders.read(order).await? {
            Some(order) => Closure::of(&order),
            None => Some(Closure::Cancelled),
        };
        match (closed, intent) {
            (Some(why), _) => Ok(Input::OrderClosed(why)),
            (None, Some(intent)) => Ok(Input::Seen(self.stripe.retrieve(intent).await?)),
            (None, None) => Ok(Input::OrderClosed(Closure::Cancelled)),
        }
    }

    /// What the intent is after a call, whose refusal only says that it is not what was thought.
    async fn answer_or_look(
        &self,
        intent: &IntentId,
        answer: Result<Intent, StripeError>,
    ) -> Result<Input, Unsettled> {
        match answer {
            Ok(intent) => Ok(Input::Seen(intent)),
            Err(error @ (StripeError::Busy(_) | StripeError::NoAnswer(_))) => Err(error.into()),
            Err(error) => {
                tracing::info!(%intent, %error, "Stripe did not do as it was asked; looking");
                Ok(Input::Seen(self.stripe.retrieve(intent).await?))
            }
        }
    }

    async fn refund_money(&self, payment: &Payment, intent: &IntentId) -> Result<Input, Unsettled> {
        let answer = match self.stripe.refund(payment.id, intent).await {
            Err(StripeError::Broken(_) | StripeError::Unreadable) => {
                // Its key answers so for a day; what it did is told by the intent.
                let seen = self.stripe.retrieve(intent).await?;
                if seen.is_refunded() {
                    return Ok(Input::Seen(seen));
                }
                self.stripe.refund_without_key(intent).await
            }
            answer => answer,
        };
        let error = match answer {
            Ok(refund) => {
                return Ok(Input::RefundSeen {
                    id: refund.id,
                    status: refund.status,
                });
            }
            Err(error) => error,
        };
        match error {
            StripeError::Busy(_)
            | StripeError::NoAnswer(_)
            | StripeError::Broken(_)
            | StripeError::Unreadable => Err(error.into()),
            StripeError::Declined { .. } | StripeError::Source(_) | StripeError::Refused { .. } => {
                let intent = self.stripe.retrieve(intent).await?;
                if intent.is_refunded() {
                    return Ok(Input::Seen(intent));
                }
                tracing::error!(payment = %payment.id, %error, "Stripe refused a refund");
                Ok(Input::RefundRefused)
            }
        }
    }
}
