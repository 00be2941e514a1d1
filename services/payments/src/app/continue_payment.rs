//! Going on after the buyer's bank has answered.

use std::time::Duration;

use bigtix_contracts::{OrderId, UserId};
use tokio::time::Instant;
use tracing::Instrument;

use super::drive::{Driven, Reach};
use super::pay::outcome;
use super::{App, Refusal};
use crate::domain::{Closure, Payment, Phase};

/// How often it is looked whether somebody else has looked.
const LOOK: Duration = Duration::from_millis(25);

impl App {
    /// Looks what the bank has decided, and goes on from there.
    pub(crate) async fn continue_payment(&self, order: OrderId, buyer: UserId) -> Result<Payment, Refusal> {
        let until = Instant::now() + self.timing.patience;
        loop {
            let payment = self.look_at_latest(order, buyer, until).await?;
            let id = payment.id;
            match outcome(payment) {
                // The payment that took its place has the answer.
                Err(Refusal::OrderClosed(Closure::Superseded)) => {
                    if self.latest_payment(order, buyer).await?.id == id {
                        return Err(self.why_nothing_goes_on(order, buyer).await?);
                    }
                }
                answer => return answer,
            }
        }
    }

    /// Whoever gave the order's payment up for another one began none, having died or met an order that had closed.
    async fn why_nothing_goes_on(&self, order: OrderId, buyer: UserId) -> Result<Refusal, Refusal> {
        let order = self.order_of(order, buyer).await?;
        Ok(Closure::of(&order).map_or_else(Refusal::given_up, Refusal::OrderClosed))
    }

    /// The order's latest payment once the bank has been asked about it, and all is done that followed.
    async fn look_at_latest(
        &self,
        order: OrderId,
        buyer: UserId,
        until: Instant,
    ) -> Result<Payment, Refusal> {
        loop {
            let payment = self.latest_payment(order, buyer).await?;
            let id = payment.id;
            if payment.phase != Phase::RequiresAction {
                return self.decided(id, until).await;
            }
            let app = self.clone();
            let looking =
                tokio::spawn(async move { app.take_and_drive(id, Reach::Look).await }.in_current_span());
            match tokio::time::timeout_at(until, looking).await {
                // Somebody else looks at this very moment, perhaps since before the bank has answered.
                Ok(Ok(Ok(None))) if Instant::now() < until => tokio::time::sleep(LOOK).await,
                Ok(Ok(Ok(Some(Driven::Far(payment))))) if payment.is_settled() => return Ok(payment),
                Ok(Ok(Ok(Some(Driven::Short(payment))))) if payment.phase == Phase::RequiresAction => {
                    return Err(Refusal::Unknown);
                }
                _ => return self.decided(id, until).await,
            }
        }
    }
}
