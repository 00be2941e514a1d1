//! A payment as the store keeps it.

use bigtix_contracts::events::{Envelope, PaymentState};
use bigtix_contracts::{Cents, OrderId, PaymentId, UserId};
use bigtix_service::clock::wall;
use bigtix_service::mongo::{from_bson_time, to_bson_time, to_object_id};
use bigtix_service::outbox::ReadError;
use bson::oid::ObjectId;
use bson::{Bson, DateTime, Document};
use mongodb::error::Error;
use serde::{Deserialize, Serialize};

use super::Row;
use crate::domain::{IntentId, Payment, Phase, Source};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PaymentDocument {
    #[serde(rename = "_id")]
    id: ObjectId,
    order_id: ObjectId,
    user_id: ObjectId,
    amount: i64,
    source: Source,
    created_at: DateTime,
    version: i64,
    #[serde(flatten)]
    standing: Standing,
    #[serde(default)]
    traceparent: Option<String>,
    lease_until: DateTime,
    next_attempt_at: Option<DateTime>,
    attempts: i64,
}

/// The part that changes with the version.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Standing {
    phase: Phase,
    live: bool,
    #[serde(default)]
    intent: Option<IntentId>,
    #[serde(default)]
    client_secret: Option<String>,
    #[serde(default)]
    bank_asked: bool,
    #[serde(default)]
    refund_id: Option<String>,
    #[serde(default)]
    disputed: bool,
}

impl From<&Payment> for Standing {
    fn from(payment: &Payment) -> Self {
        Self {
            phase: payment.phase.clone(),
            live: payment.live,
            intent: payment.intent.clone(),
            client_secret: payment.client_secret.clone(),
            bank_asked: payment.bank_asked,
            refund_id: payment.refund_id.clone(),
            disputed: payment.disputed,
        }
    }
}

impl PaymentDocument {
    pub(super) fn new(row: &Row, traceparent: Option<String>) -> Self {
        let payment = &row.payment;
        Self {
            id: to_object_id(payment.id.bytes()),
            order_id: to_object_id(payment.order_id.bytes()),
            user_id: to_object_id(payment.user_id.bytes()),
            amount: payment.amount.0,
            source: payment.source.clone(),
            created_at: to_bson_time(payment.created_at),
            version: payment.version,
            standing: Standing::from(payment),
            traceparent,
            lease_until: to_bson_time(row.lease_until),
            next_attempt_at: row.next_attempt_at.map(to_bson_time),
            attempts: i64::from(row.attempts),
        }
    }

    pub(super) fn into_bson(self) -> Result<Document, Error> {
        bson::serialize_to_document(&self).map_err(Error::custom)
    }

    pub(super) fn from_bson(document: Document) -> Result<Self, Error> {
        bson::deserialize_from_document(document).map_err(Error::custom)
    }

    /// The payment and its schedule.
    pub(super) fn read(self) -> Row {
        let Standing {
            phase,
            live,
            intent,
            client_secret,
            bank_asked,
            refund_id,
            disputed,
        } = self.standing;
        let payment = Payment {
            id: PaymentId::from_bytes(self.id.bytes()),
            order_id: OrderId::from_bytes(self.order_id.bytes()),
            user_id: UserId::from_bytes(self.user_id.bytes()),
            amount: Cents(self.amount),
            source: self.source,
            created_at: from_bson_time(self.created_at),
            version: self.version,
            phase,
            live,
            intent,
            client_secret,
            bank_asked,
            refund_id,
            disputed,
        };
        Row {
            payment,
            lease_until: from_bson_time(self.lease_until),
            next_attempt_at: self.next_attempt_at.map(from_bson_time),
            attempts: u32::try_from(self.attempts).unwrap_or(u32::MAX),
        }
    }
}

/// What an update to `after` sets.
pub(super) fn changes(after: &Payment) -> Result<Document, Error> {
    match bson::serialize_to_bson(&Standing::from(after)).map_err(Error::custom)? {
        Bson::Document(set) => Ok(set),
        _ => Err(Error::custom("a standing is a document")),
    }
}

/// The event that says what the document says.
pub(super) fn envelope(document: &Document) -> Result<Envelope<PaymentState>, ReadError> {
    let broken = |error: &dyn std::fmt::Display| ReadError(error.to_string());
    let document = PaymentDocument::from_bson(document.clone()).map_err(|error| broken(&error))?;
    let (version, traceparent) = (document.version, document.traceparent.clone());
    let payment = document.read().payment;
    Ok(Envelope::new(payment.state(), version, wall(), traceparent))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::{Cause, Closure, End, Failure, Refund};

    fn row(phase: Phase) -> Row {
        let time = Timestamp::from_millisecond(1_789_000_000_123).unwrap();
        let source = "tok_visa".parse().unwrap();
        let (id, order, user) = ([1; 12], [2; 12], [3; 12]);
        let payment = Payment {
            phase,
            intent: Some(IntentId("pi_1".into())),
            ..Payment::begin(
                PaymentId::from_bytes(id),
                OrderId::from_bytes(order),
                UserId::from_bytes(user),
                Cents(1999),
                source,
                time,
            )
        };
        Row {
            payment,
            lease_until: time,
            next_attempt_at: None,
            attempts: 3,
        }
    }

    #[test]
    fn every_phase_is_read_as_it_was_written() {
        let refund = Refund {
            relist: true,
            cause: Cause::Asked(PaymentId::from_bytes([9; 12])),
        };
        for phase in [
            Phase::Creating,
            Phase::Voiding(End::Failed(Failure::Declined("No.".into()))),
            Phase::Voiding(End::Cancelled(Closure::Superseded)),
            Phase::Failed(Failure::Provider),
            Phase::Cancelled(Closure::Expired),
            Phase::Refunding(refund.clone()),
            Phase::Refunded(Refund {
                cause: Cause::SafetyNet(Closure::Expired),
                ..refund
            }),
        ] {
            let written = row(phase);
            let document = PaymentDocument::new(&written, Some("00-1".into()))
                .into_bson()
                .unwrap();
            let read = PaymentDocument::from_bson(document).unwrap().read();
            assert_eq!(read.payment, written.payment);
            assert_eq!((read.next_attempt_at, read.attempts), (None, 3));
        }
    }

    #[test]
    fn a_document_is_its_own_event() {
        let document = PaymentDocument::new(&row(Phase::Authorised), Some("00-1".into()))
            .into_bson()
            .unwrap();
        let event = envelope(&document).unwrap();
        assert_eq!(
            (event.event_type.as_str(), event.traceparent.as_deref()),
            ("payment.authorised", Some("00-1"))
        );
        assert_eq!(event.data.stripe_id.as_deref(), Some("pi_1"));
    }
}
