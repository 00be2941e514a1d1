//! Taking in what Stripe tells: proof first, then the store, then the answer.

use mongodb::error::Error;
use serde::Deserialize;

use super::App;
use crate::adapters::signature::is_genuine;
use crate::adapters::webhook_inbox::Notice;
use crate::domain::{IntentId, Topic};

/// Why a webhook was not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WebhookRefusal {
    /// Nobody knows who sent it.
    #[error("the signature is missing or not valid")]
    Signature,
    /// It is signed, and no event.
    #[error("the event cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// It could not be stored, so it must come again.
    #[error(transparent)]
    Store(#[from] Error),
}

/// What an event of this kind is about.
pub(super) fn topic(kind: &str) -> Topic {
    match kind.split_once('.') {
        // The request that created it knows better.
        Some(("payment_intent", "created")) => Topic::Other,
        Some(("payment_intent", _)) => Topic::Intent,
        Some(("refund", _)) => Topic::Refund,
        Some(("charge", rest)) if rest.starts_with("refund") => Topic::Refund,
        Some(("charge", "dispute.created")) => Topic::Dispute,
        _ => Topic::Other,
    }
}

#[derive(Deserialize)]
struct EventBody {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    data: EventData,
}

#[derive(Deserialize)]
struct EventData {
    object: EventObject,
}

#[derive(Deserialize)]
struct EventObject {
    id: Option<String>,
    object: Option<String>,
    payment_intent: Option<serde_json::Value>,
    metadata: Option<serde_json::Map<String, serde_json::Value>>,
}

impl App {
    /// Keeps a genuine event; when this returns, it is stored.
    pub(crate) async fn take_webhook(
        &self,
        signature: Option<&str>,
        body: &[u8],
    ) -> Result<(), WebhookRefusal> {
        let now = self.timing.clock.now().as_second();
        if !signature.is_some_and(|header| is_genuine(header, body, &self.webhook_secrets, now)) {
            return Err(WebhookRefusal::Signature);
        }
        let notice = read(serde_json::from_slice(body)?);
        // Most of what Stripe can tell is about things that this shop has none of.
        if notice.intent.is_some() && topic(&notice.kind) != Topic::Other {
            self.inbox.keep(&notice, &String::from_utf8_lossy(body)).await?;
            self.webhook_came.notify_one();
        }
        Ok(())
    }
}

fn read(body: EventBody) -> Notice {
    let EventObject {
        id,
        object,
        payment_intent,
        metadata,
    } = body.data.object;
    let intent = match object.as_deref() {
        Some("payment_intent") => id,
        // An id, or the intent itself where it is expanded.
        _ => payment_intent.and_then(|intent| match intent {
            serde_json::Value::String(id) => Some(id),
            serde_json::Value::Object(intent) => Some(intent.get("id")?.as_str()?.to_owned()),
            _ => None,
        }),
    };
    let payment = metadata.and_then(|metadata| metadata.get("paymentId")?.as_str()?.parse().ok());
    Notice {
        id: body.id,
        kind: body.kind,
        intent: intent.map(IntentId),
        payment,
        attempts: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(text: &str) -> Notice {
        read(serde_json::from_str(text).unwrap())
    }

    #[test]
    fn an_event_is_about_an_intent_by_its_id_or_by_its_reference() {
        let direct = notice(
            r#"{"id": "evt_1", "type": "payment_intent.succeeded", "data": {"object": {"id": "pi_1", "object":
               "payment_intent", "metadata": {"paymentId": "64b0c0ffee0000000000beef"}}}}"#,
        );
        assert_eq!(direct.intent, Some(IntentId("pi_1".into())));
        assert!(direct.payment.is_some());
        for reference in [r#""pi_1""#, r#"{"id": "pi_1"}"#] {
            let charge = format!(
                r#"{{"id": "evt_2", "type": "charge.refunded", "data": {{"object": {{"id": "ch_1", "object": "charge",
                   "payment_intent": {reference}, "metadata": {{}}}}}}}}"#
            );
            assert_eq!(notice(&charge).intent, Some(IntentId("pi_1".into())));
        }
    }

    #[test]
    fn an_event_of_another_kind_is_about_no_intent() {
        let other = r#"{"id": "evt_3", "type": "plan.created", "data": {"object": {"id": "plan_1", "object": "plan"}}}"#;
        assert_eq!(notice(other).intent, None);
    }

    #[test]
    fn the_kind_of_an_event_tells_its_topic() {
        for (kind, expected) in [
            ("payment_intent.amount_capturable_updated", Topic::Intent),
            ("charge.refunded", Topic::Refund),
            ("charge.refund.updated", Topic::Refund),
            ("refund.created", Topic::Refund),
            ("charge.dispute.created", Topic::Dispute),
            ("charge.succeeded", Topic::Other),
            ("customer.created", Topic::Other),
            ("", Topic::Other),
        ] {
            assert_eq!(topic(kind), expected, "{kind}");
        }
    }
}
