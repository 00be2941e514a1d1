//! What orders' events mean for payments: an order that closed ends the payment that waits for the buyer's bank.

use bigtix_contracts::events::{Envelope, OrderState};
use bigtix_service::inbox::HandlerError;
use mongodb::error::Error;

use super::App;
use super::drive::Applied;
use crate::adapters::rows::Row;
use crate::domain::{Concern, Input, Phase, concern};

impl App {
    pub(crate) async fn follow_orders(&self, batch: Vec<Envelope<OrderState>>) -> Result<(), HandlerError> {
        for event in batch {
            self.follow_order(&event.data).await?;
        }
        Ok(())
    }

    async fn follow_order(&self, order: &OrderState) -> Result<(), HandlerError> {
        let Some((row, input)) = self.concerned(order).await? else {
            return Ok(());
        };
        if input == Input::OrderAwaits && matches!(row.payment.phase, Phase::Lapsed(_)) {
            // Whether the order was told before or after it began to wait is known once that is stored.
            return Err(HandlerError::Transient(
                "the payment is being given up".to_owned(),
            ));
        }
        if let Applied::Changed(payment) = self.apply(row.payment, &input).await? {
            // The call that is due now is for the reconciler: an event is not kept waiting for Stripe.
            let due = self.due(&payment);
            self.rows.leave(&payment, due, 0).await?;
        }
        Ok(())
    }

    async fn concerned(&self, order: &OrderState) -> Result<Option<(Row, Input)>, Error> {
        let Some((concern, input)) = concern(order) else {
            return Ok(None);
        };
        let row = match concern {
            Concern::Awaited(id) => self.rows.find(id).await?,
            Concern::LiveBut(paid_by) => {
                let live = self.rows.live_of(order.id).await?;
                live.filter(|row| paid_by != Some(row.payment.id))
            }
        };
        Ok(row.map(|row| (row, input)))
    }
}
