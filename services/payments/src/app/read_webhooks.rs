//! Looking into what Stripe told. The event only says where to look: Stripe is asked how the intent stands now, so
//! that duplicates, reordering and delay change nothing.

use std::sync::Arc;
use std::time::Duration;

use bigtix_service::crowd::Pace;
use mongodb::error::Error;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::App;
use super::drive::{Applied, Reach};
use super::take_webhook::topic;
use crate::adapters::rows::Row;
use crate::adapters::stripe::StripeError;
use crate::adapters::webhook_inbox::Notice;
use crate::domain::{Input, Payment, Reading, reading};

/// How long to wait when nothing came: another instance may have left something.
const ROUND: Duration = Duration::from_secs(1);
/// How long to wait when somebody works on the payment.
const WHILE_BUSY: Duration = Duration::from_millis(300);
/// In a crowd, so many are looked into before a rest: most are about payments whose requests know better.
const PORTION: usize = 5;
const REST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(60);

/// What came of looking into an event.
enum Looked {
    /// All that it meant.
    Done,
    /// Nothing yet.
    Later,
}

impl App {
    /// Looks into events until told to stop, and then finishes what it began.
    pub(crate) async fn read_webhooks(self: Arc<Self>, stop: CancellationToken) {
        let work = TaskTracker::new();
        let mut pace = Pace::new(PORTION, REST);
        while !stop.is_cancelled() {
            match self.inbox.take().await {
                Ok(Some(notice)) => {
                    let Ok(permit) = self.workers.clone().acquire_owned().await else {
                        return;
                    };
                    let app = self.clone();
                    work.spawn(async move {
                        app.look_into(notice).await;
                        drop(permit);
                    });
                    pace.step().await;
                    continue;
                }
                Ok(None) => {}
                Err(error) => tracing::warn!(%error, "the webhook inbox cannot be read"),
            }
            let came = tokio::time::timeout(ROUND, self.webhook_came.notified());
            let _ = stop.run_until_cancelled(came).await;
        }
        work.close();
        work.wait().await;
    }

    async fn look_into(&self, notice: Notice) {
        let ended = match self.look(&notice).await {
            Ok(Looked::Done) => self.inbox.done(&notice).await,
            Ok(Looked::Later) => {
                let pause = WHILE_BUSY
                    .saturating_mul(1 << notice.attempts.min(8))
                    .min(LONGEST);
                self.inbox.later(&notice, pause).await
            }
            Err(error) => Err(error),
        };
        if let Err(error) = ended {
            tracing::warn!(event = notice.id, %error, "a webhook will be looked into again");
        }
    }

    async fn look(&self, notice: &Notice) -> Result<Looked, Error> {
        let Some(row) = self.payment_of(notice).await? else {
            return Ok(Looked::Done);
        };
        let payment = row.payment.clone();
        match reading(
            topic(&notice.kind),
            &payment,
            row.is_leased(self.timing.clock.now()),
        ) {
            Reading::Done => Ok(Looked::Done),
            Reading::Later => Ok(Looked::Later),
            Reading::Dispute => {
                tracing::error!(payment = %payment.id, order = %payment.order_id, "the buyer disputes a payment");
                self.apply(payment, &Input::Disputed).await.map(|_| Looked::Done)
            }
            Reading::Look => self.look_at_intent(notice, payment).await,
        }
    }

    async fn payment_of(&self, notice: &Notice) -> Result<Option<Row>, Error> {
        if let Some(intent) = &notice.intent
            && let Some(row) = self.rows.of_intent(intent).await?
        {
            return Ok(Some(row));
        }
        match notice.payment {
            Some(id) => self.rows.find(id).await,
            None => Ok(None),
        }
    }

    async fn look_at_intent(&self, notice: &Notice, payment: Payment) -> Result<Looked, Error> {
        let Some(id) = &notice.intent else {
            return Ok(Looked::Done);
        };
        let intent = match self.stripe.retrieve(id).await {
            Ok(intent) if intent.payment_id == Some(payment.id) => intent,
            // Somebody else's, though it names a payment of ours, or gone.
            Ok(_) | Err(StripeError::Refused { .. } | StripeError::Source(_)) => return Ok(Looked::Done),
            Err(error) => {
                tracing::warn!(event = notice.id, %error, "Stripe could not be asked about a webhook");
                return Ok(Looked::Later);
            }
        };
        let until = Instant::now() + self.timing.patience;
        match self.apply(payment, &Input::Seen(intent)).await? {
            // What is due now has its recovery point; driving it at once only saves time.
            Applied::Changed(payment) => drop(self.drive_on(payment, false, until).await),
            Applied::Unchanged(payment) if self.is_urgent(&payment) => {
                drop(self.take_and_drive(payment.id, Reach::Due).await?);
            }
            Applied::Unchanged(_) => {}
        }
        Ok(Looked::Done)
    }
}
