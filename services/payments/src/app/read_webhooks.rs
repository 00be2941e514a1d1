//! Looking into what Stripe told. The event only says where to look: Stripe is asked how the intent stands now, so
//! that duplicates, reordering and delay change nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bigtix_contracts::PaymentId;
use bigtix_service::crowd::rest_in_a_crowd;
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
use crate::domain::{Input, IntentId, Payment, Reading, reading};

/// How long to wait when nothing came: another instance may have left something.
const ROUND: Duration = Duration::from_secs(1);
/// How long to wait when somebody works on the payment.
const WHILE_BUSY: Duration = Duration::from_millis(300);
/// So many are looked into together. Those for which Stripe is asked are gone through within their lease.
const TOGETHER: i64 = 50;
/// In a crowd, between one lot and the next: most events are about payments whose requests know better.
const REST: Duration = Duration::from_millis(100);
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
        while !stop.is_cancelled() {
            match self.inbox.take(TOGETHER).await {
                Ok(notices) if notices.is_empty() => {}
                Ok(notices) => {
                    if let Err(error) = self.look_into(notices, &work, &stop).await {
                        tracing::warn!(%error, "webhooks will be looked into again");
                    }
                    rest_in_a_crowd(REST).await;
                    continue;
                }
                Err(error) => tracing::warn!(%error, "the webhook inbox cannot be read"),
            }
            let came = tokio::time::timeout(ROUND, self.webhook_came.notified());
            let _ = stop.run_until_cancelled(came).await;
        }
        work.close();
        work.wait().await;
    }

    /// Most events only tell what is known: those are ended together. The others become work of their own; told to stop,
    /// it gives back those that have not.
    async fn look_into(
        self: &Arc<Self>,
        notices: Vec<Notice>,
        work: &TaskTracker,
        stop: &CancellationToken,
    ) -> Result<(), Error> {
        let intents: Vec<&IntentId> = notices
            .iter()
            .filter_map(|notice| notice.intent.as_ref())
            .collect();
        let ids: Vec<PaymentId> = notices.iter().filter_map(|notice| notice.payment).collect();
        let rows = self.rows.of_intents(&intents, &ids).await?;
        let now = self.timing.clock.now();
        let (mut done, mut later) = (Vec::new(), BTreeMap::<Duration, Vec<Notice>>::new());
        let mut own_work = Vec::new();
        for notice in notices {
            let Some(row) = concerned(&notice, &rows) else {
                done.push(notice);
                continue;
            };
            match reading(topic(&notice.kind), &row.payment, row.is_leased(now)) {
                Reading::Done => done.push(notice),
                Reading::Later => later.entry(pause(&notice)).or_default().push(notice),
                Reading::Dispute | Reading::Look => own_work.push((notice, row.payment.id)),
            }
        }
        self.inbox.done(&done).await?;
        for (notice, id) in own_work {
            let permit = self.workers.clone().acquire_owned();
            let Some(Ok(permit)) = stop.run_until_cancelled(permit).await else {
                later.entry(Duration::ZERO).or_default().push(notice);
                continue;
            };
            let app = Arc::clone(self);
            work.spawn(async move {
                app.follow(notice, id).await;
                drop(permit);
            });
        }
        for (pause, notices) in later {
            self.inbox.later(&notices, pause).await?;
        }
        Ok(())
    }

    /// Looks into one event about the payment `id`.
    async fn follow(&self, notice: Notice, id: PaymentId) {
        let looked = self.look(&notice, id).await;
        let pause = pause(&notice);
        let notice = [notice];
        let ended = match looked {
            Ok(Looked::Done) => self.inbox.done(&notice).await,
            Ok(Looked::Later) => self.inbox.later(&notice, pause).await,
            Err(error) => Err(error),
        };
        if let Err(error) = ended {
            tracing::warn!(event = notice[0].id, %error, "a webhook will be looked into again");
        }
    }

    /// The payment is read anew: the event may have waited long for its turn.
    async fn look(&self, notice: &Notice, id: PaymentId) -> Result<Looked, Error> {
        let Some(row) = self.rows.find(id).await? else {
            return Ok(Looked::Done);
        };
        let is_leased = row.is_leased(self.timing.clock.now());
        let payment = row.payment;
        match reading(topic(&notice.kind), &payment, is_leased) {
            Reading::Done => Ok(Looked::Done),
            Reading::Later => Ok(Looked::Later),
            Reading::Dispute => {
                tracing::error!(payment = %payment.id, order = %payment.order_id, "the buyer disputes a payment");
                self.apply(payment, &Input::Disputed).await.map(|_| Looked::Done)
            }
            Reading::Look => self.look_at_intent(notice, payment).await,
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

/// How long to wait before the event is looked into again.
fn pause(notice: &Notice) -> Duration {
    WHILE_BUSY
        .saturating_mul(1 << notice.attempts.min(8))
        .min(LONGEST)
}

/// Of `rows`, the payment whose intent the event is about, or else the one that the intent says it is for.
fn concerned<'r>(notice: &Notice, rows: &'r [Row]) -> Option<&'r Row> {
    let by_intent = |row: &&Row| notice.intent.is_some() && row.payment.intent == notice.intent;
    let by_id = |row: &&Row| Some(row.payment.id) == notice.payment;
    rows.iter().find(by_intent).or_else(|| rows.iter().find(by_id))
}
