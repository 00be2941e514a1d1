//! Deliveries of events: signed, repeated until they are accepted, and in trouble when a plan says so.

use std::sync::Arc;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Request, header};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::sync::Semaphore;

use super::events::API_VERSION;
use super::fault::{WebhookFault, WebhookTrouble};
use super::server::{Shared, now};
use crate::eventually::elapse;

/// How many deliveries run at once. Stripe promises no order either.
const AT_ONCE: usize = 8;
/// How long a receiver may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// The first pause before another attempt; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How long a reordered event waits for one to overtake it.
const OVERTAKING: Duration = Duration::from_secs(2);
/// How old the signature of a replayed delivery is, in seconds.
const STALE: i64 = 3_600;
/// How many deliveries can be told of.
const REMEMBERED: usize = 10_000;

/// Somebody who wants to hear of events.
#[derive(Clone)]
pub(crate) struct Endpoint {
    pub(crate) id: String,
    pub(crate) url: String,
    pub(crate) secret: String,
    pub(crate) events: Vec<String>,
    pub(crate) created: i64,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint")
            .field("id", &self.id)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

impl Endpoint {
    pub(crate) fn wants(&self, kind: &str) -> bool {
        self.events.iter().any(|wanted| wanted == "*" || wanted == kind)
    }

    pub(crate) fn json(&self, with_secret: bool) -> Value {
        let mut json = json!({
            "id": self.id, "object": "webhook_endpoint", "api_version": API_VERSION, "application": null,
            "created": self.created, "description": null, "enabled_events": self.events, "livemode": false,
            "metadata": {}, "status": "enabled", "url": self.url,
        });
        if with_secret {
            json["secret"] = json!(self.secret);
        }
        json
    }
}

/// One event on its way to one endpoint.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    /// Grows from event to event.
    pub(crate) sequence: u64,
    pub(crate) event: String,
    pub(crate) kind: String,
    pub(crate) endpoint: String,
    pub(crate) body: Arc<str>,
    pub(crate) fault: Option<WebhookFault>,
}

/// Why an attempt was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Attempt {
    /// The proper one, or a repetition of one that was not accepted.
    Proper,
    /// A second one of an event that was accepted.
    Duplicate,
    /// One whose signature is an hour old.
    Replay,
    /// One with a forged signature.
    Forged,
}

/// One attempt to deliver an event, as it went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Delivery {
    /// The event's id.
    pub event: String,
    /// The event's type.
    pub kind: String,
    /// Why it was made.
    pub attempt: Attempt,
    /// The receiver's status; `None` when it could not be reached or took too long.
    pub status: Option<u16>,
}

impl Delivery {
    /// Whether the receiver took it.
    pub fn accepted(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

/// The value of `Stripe-Signature` over a body at a time (seconds since 1970).
pub fn signature(secret: &str, timestamp: i64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(timestamp.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    format!("t={timestamp},v1={}", hex::encode(mac.finalize().into_bytes()))
}

type HttpClient = Client<HttpConnector, Full<Bytes>>;

/// Delivers what is queued, for as long as it is polled.
pub(crate) async fn deliver_all(shared: Arc<Shared>) {
    let client: HttpClient = Client::builder(TokioExecutor::new()).build_http();
    let slots = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        while let Some(job) = shared.account().queue.pop_front() {
            let courier = Courier {
                shared: Arc::clone(&shared),
                client: client.clone(),
                slots: Arc::clone(&slots),
                job,
            };
            shared.spawn(courier.run());
        }
        // A notice that came meanwhile is kept.
        shared.news.notified().await;
    }
}

struct Courier {
    shared: Arc<Shared>,
    client: HttpClient,
    slots: Arc<Semaphore>,
    job: Job,
}

impl Courier {
    async fn run(self) {
        match self
            .job
            .fault
            .as_ref()
            .map(|fault| (fault.webhook, fault.duration()))
        {
            None => self.insist(Attempt::Proper).await,
            Some((WebhookTrouble::Lost, _)) => {}
            Some((WebhookTrouble::Delayed, delay)) => {
                elapse(delay).await;
                self.insist(Attempt::Proper).await;
            }
            Some((WebhookTrouble::Reordered, _)) => {
                let mut newest = self.shared.delivered.subscribe();
                let overtaken = newest.wait_for(|newest| *newest > self.job.sequence);
                // Nobody may follow; then it goes out after all.
                let _ = tokio::time::timeout(OVERTAKING, overtaken).await.is_ok();
                self.insist(Attempt::Proper).await;
            }
            Some((WebhookTrouble::Duplicate, _)) => {
                self.insist(Attempt::Proper).await;
                self.insist(Attempt::Duplicate).await;
            }
            Some((WebhookTrouble::Replayed, _)) => {
                self.insist(Attempt::Proper).await;
                self.attempt(Attempt::Replay).await;
            }
            Some((WebhookTrouble::WrongSignature, _)) => {
                self.attempt(Attempt::Forged).await;
                self.insist(Attempt::Proper).await;
            }
        }
        self.shared.account().undelivered -= 1;
        self.shared
            .delivered
            .send_modify(|newest| *newest = (*newest).max(self.job.sequence));
    }

    /// Until it is accepted, or nobody wants it any more.
    async fn insist(&self, attempt: Attempt) {
        let mut pause = FIRST_PAUSE;
        while !self.attempt(attempt).await {
            elapse(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Whether that is the end of it.
    async fn attempt(&self, attempt: Attempt) -> bool {
        let _slot = self.slots.acquire().await;
        // Looked up anew: the receiver may have moved meanwhile.
        let Ok(endpoint) = self.shared.account().endpoint(&self.job.endpoint).cloned() else {
            return true;
        };
        let body = self.job.body.as_bytes();
        let header = match attempt {
            Attempt::Proper | Attempt::Duplicate => signature(&endpoint.secret, now(), body),
            Attempt::Replay => signature(&endpoint.secret, now() - STALE, body),
            Attempt::Forged => signature("whsec_somebody_else", now(), body),
        };
        let status = self.post(&endpoint.url, header).await;
        let Job { event, kind, .. } = &self.job;
        let delivery = Delivery {
            event: event.clone(),
            kind: kind.clone(),
            attempt,
            status,
        };
        let accepted = delivery.accepted();
        let mut account = self.shared.account();
        account.deliveries.push_back(delivery);
        if account.deliveries.len() > REMEMBERED {
            account.deliveries.pop_front();
        }
        accepted
    }

    async fn post(&self, url: &str, signature: String) -> Option<u16> {
        let request = Request::post(url)
            .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
            .header(
                header::USER_AGENT,
                "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            )
            .header("stripe-signature", signature)
            .body(Full::new(Bytes::copy_from_slice(self.job.body.as_bytes())))
            .ok()?;
        let answer = tokio::time::timeout(PATIENCE, self.client.request(request))
            .await
            .ok()?
            .ok()?;
        Some(answer.status().as_u16())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_the_hmac_of_time_and_body() {
        // Computed with `printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac whsec_test`.
        let expected = "t=1700000000,v1=38877139021993b830af32feea6e18a8da83eb2f6e49ee50bd9e4cf4ca4d3789";
        assert_eq!(signature("whsec_test", 1_700_000_000, br#"{"a":1}"#), expected);
    }

    #[test]
    fn an_endpoint_hears_what_it_asked_for() {
        let mut endpoint = Endpoint {
            id: "we_1".into(),
            url: "http://localhost".into(),
            secret: "whsec_1".into(),
            events: vec!["charge.refunded".into()],
            created: 0,
        };
        assert!(endpoint.wants("charge.refunded") && !endpoint.wants("charge.captured"));
        endpoint.events = vec!["*".into()];
        assert!(endpoint.wants("charge.captured"));
        assert!(!format!("{endpoint:?}").contains("whsec"));
    }
}
