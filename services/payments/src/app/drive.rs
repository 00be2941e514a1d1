//! Carrying a payment on: make the call that is due, store what it means, and again, until nothing is due or a call
//! settles nothing. Whoever drives holds the payment's lease; a crash between two steps leaves a payment that names the
//! call that is due, and its lease runs out.

use std::time::Duration;

use bigtix_contracts::PaymentId;
use mongodb::error::Error;
use tokio::time::Instant;
use tracing::Instrument;

use super::App;
use super::calls::Unsettled;
use crate::adapters::rows::Row;
use crate::domain::{Call, Decision, Input, Payment, next};

/// How often a waiting request looks whether its payment is settled.
const LOOK: Duration = Duration::from_millis(25);

/// How far a payment is to be carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// As far as calls are due at once.
    Due,
    /// Even where only a look from time to time is due.
    Look,
}

/// How a payment is carried on.
#[derive(Debug, Clone, Copy)]
struct Effort {
    reach: Reach,
    /// How many attempts at the call that is due settled nothing.
    attempts: u32,
    /// Whether no attempt at it can have been made.
    first: bool,
}

impl Effort {
    /// For a payment that was stored just now, with a call that is due.
    const STORED: Self = Self {
        reach: Reach::Due,
        attempts: 0,
        first: false,
    };
}

impl App {
    /// The call that is due.
    pub(super) fn due(&self, payment: &Payment) -> Option<Call> {
        payment.due(self.timing.clock.now())
    }

    /// Whether a call is due at once.
    pub(super) fn is_urgent(&self, payment: &Payment) -> bool {
        self.due(payment).is_some_and(|call| !call.is_a_look())
    }

    /// Carries on a payment that the caller has the lease of.
    async fn drive(&self, mut payment: Payment, mut effort: Effort) -> Result<Driven, Error> {
        loop {
            let due = self.due(&payment);
            let Some(call) = due.filter(|call| !call.is_a_look() || effort.reach == Reach::Look) else {
                self.rows.leave(&payment, due, 0).await?;
                return Ok(Driven::Far(payment));
            };
            let (version, attempts) = (payment.version, effort.attempts);
            let input = match self.make(call, &payment, effort.first).await {
                Ok(input) => input,
                Err(unsettled) => {
                    log(&payment, call, attempts, &unsettled);
                    self.rows.leave(&payment, Some(call), attempts).await?;
                    return Ok(Driven::Short(payment));
                }
            };
            payment = match self.apply(payment, &input).await? {
                // Storing it has left it already.
                Applied::Changed(after) if !self.is_urgent(&after) => return Ok(Driven::Far(after)),
                Applied::Changed(after) => after,
                Applied::Unchanged(same) => {
                    // What somebody else changed is somebody else's to leave.
                    if same.version == version {
                        self.rows.leave(&same, self.due(&same), attempts).await?;
                    }
                    return Ok(Driven::Far(same));
                }
            };
            effort = Effort::STORED;
        }
    }

    /// Carries on a payment that the caller has just stored, and therefore has the lease of. It goes on when the
    /// caller's patience ends before it does; then `None`, as when the store failed.
    pub(super) async fn drive_on(&self, payment: Payment, first: bool, until: Instant) -> Option<Payment> {
        if !self.is_urgent(&payment) {
            return Some(payment);
        }
        let app = self.clone();
        let effort = Effort {
            first,
            ..Effort::STORED
        };
        let driving = tokio::spawn(async move { app.drive(payment, effort).await }.in_current_span());
        match tokio::time::timeout_at(until, driving).await {
            Ok(Ok(Ok(Driven::Far(payment) | Driven::Short(payment)))) => Some(payment),
            Ok(Ok(Err(error))) => {
                tracing::warn!(%error, "a payment could not be carried on");
                None
            }
            Ok(Err(_)) | Err(_) => None,
        }
    }

    /// Stores what `input` means for the payment as it is in the store by then.
    pub(super) async fn apply(&self, mut payment: Payment, input: &Input) -> Result<Applied, Error> {
        loop {
            let after = match next(&payment, input) {
                Decision::Stay => return Ok(Applied::Unchanged(payment)),
                Decision::Become(after) => after,
            };
            if let Some(stored) = self.rows.save(&payment, &after).await? {
                tracing::debug!(payment = %stored.id, from = ?payment.phase, to = ?stored.phase, "payment changed");
                return Ok(Applied::Changed(stored));
            }
            payment = match self.rows.find(payment.id).await? {
                Some(row) => row.payment,
                None => return Ok(Applied::Unchanged(payment)),
            };
        }
    }

    /// Takes the payment and carries it on; `None` when somebody else has it.
    pub(super) async fn take_and_drive(&self, id: PaymentId, reach: Reach) -> Result<Option<Driven>, Error> {
        match self.rows.claim(id).await? {
            Some(Row {
                payment, attempts, ..
            }) => self
                .drive(
                    payment,
                    Effort {
                        reach,
                        attempts,
                        first: false,
                    },
                )
                .await
                .map(Some),
            None => Ok(None),
        }
    }

    /// Waits until `is_enough` says so of the payment, and helps it on meanwhile. The payment as it is when the
    /// patience ends; `None` when there is no such payment.
    pub(super) async fn wait_for(
        &self,
        id: PaymentId,
        until: Instant,
        is_enough: impl Fn(&Payment) -> bool,
    ) -> Result<Option<Payment>, Error> {
        loop {
            let row = self.rows.find(id).await;
            match row {
                Ok(None) => return Ok(None),
                Ok(Some(row)) if is_enough(&row.payment) || Instant::now() >= until => {
                    return Ok(Some(row.payment));
                }
                Err(error) if Instant::now() >= until => return Err(error),
                Ok(Some(row)) => self.help(&row, until).await,
                Err(_) => {}
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Drives the payment when it is due and free. The request that waits may end before that does.
    async fn help(&self, row: &Row, until: Instant) {
        let now = self.timing.clock.now();
        if row.is_leased(now) || row.next_attempt_at.is_none_or(|at| at > now) {
            return;
        }
        let (app, id) = (self.clone(), row.payment.id);
        let driving = tokio::spawn(async move { app.take_and_drive(id, Reach::Due).await }.in_current_span());
        if let Ok(Ok(Err(error))) = tokio::time::timeout_at(until, driving).await {
            tracing::warn!(payment = %id, %error, "a payment could not be carried on");
        }
    }
}

/// How far a payment was carried.
pub(super) enum Driven {
    /// As far as it goes for now.
    Far(Payment),
    /// To a call that settled nothing.
    Short(Payment),
}

/// What became of a payment.
pub(super) enum Applied {
    /// It is now so.
    Changed(Payment),
    /// It is as it was, by whoever.
    Unchanged(Payment),
}

/// A call that settles nothing again and again needs people.
fn log(payment: &Payment, call: Call, attempts: u32, unsettled: &Unsettled) {
    const OFTEN: u32 = 8;
    if attempts >= OFTEN {
        tracing::error!(payment = %payment.id, ?call, attempts, error = %unsettled, "a payment is stuck");
    } else {
        tracing::warn!(payment = %payment.id, ?call, attempts, error = %unsettled, "a call settled nothing yet");
    }
}
