//! What orders' events mean for payments: an order that closed ends the payment that waits for the buyer's bank.

use bigtix_contracts::events::{Envelope, OrderState, OrderStatus};
use bigtix_service::inbox::HandlerError;
use jiff::Timestamp;
use mongodb::error::Error;

use super::App;
use super::drive::Applied;
use crate::adapters::rows::Row;
use crate::domain::{Closure, Input, Phase};

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
            let due = payment.due(Timestamp::now());
            self.rows.leave(&payment, due, 0).await?;
        }
        Ok(())
    }

    async fn concerned(&self, order: &OrderState) -> Result<Option<(Row, Input)>, Error> {
        match order.status {
            OrderStatus::Created => Ok(None),
            OrderStatus::AwaitingPayment => match order.payment_id {
                Some(id) => Ok(self.rows.find(id).await?.map(|row| (row, Input::OrderAwaits))),
                None => Ok(None),
            },
            OrderStatus::Complete | OrderStatus::Cancelled | OrderStatus::Refunded => {
                let Some(why) = Closure::of(order) else {
                    return Ok(None);
                };
                let live = self.rows.live_of(order.id).await?;
                let other = live.filter(|row| order.payment_id != Some(row.payment.id));
                Ok(other.map(|row| (row, Input::OrderClosed(why))))
            }
        }
    }
}
