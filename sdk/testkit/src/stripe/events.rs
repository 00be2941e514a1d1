//! Events, and the endpoints that want to hear of them.

use std::sync::Arc;

use serde_json::{Value, json};

use super::account::{Account, Answered, Context, EventRecord};
use super::error::StripeError;
use super::params::NewEndpoint;
use super::webhook::{Endpoint, Job};

/// The API version whose objects the double speaks.
pub(crate) const API_VERSION: &str = "2026-09-30.endive";

/// Stripe keeps events for thirty days, and a double as many as it has room for.
const EVENTS: usize = 2_000;
/// The id of the endpoint that [`super::Running::set_webhook`] sets.
const DEFAULT_ENDPOINT: &str = "we_default";

impl Account {
    /// Writes an event down and queues its deliveries.
    pub(crate) fn emit(&mut self, kind: &str, object: Value, context: &Context) {
        let id = self.issue("evt");
        let wanted: Vec<String> = self
            .endpoints
            .iter()
            .filter(|endpoint| endpoint.wants(kind))
            .map(|endpoint| endpoint.id.clone())
            .collect();
        let json = json!({
            "id": id, "object": "event", "api_version": API_VERSION, "created": context.now,
            "data": { "object": object }, "livemode": false, "pending_webhooks": wanted.len(),
            "request": { "id": context.request, "idempotency_key": context.key }, "type": kind,
        });
        let body: Arc<str> = json.to_string().into();
        if !wanted.is_empty() {
            let fault = self.faults.strike_webhook(kind);
            self.undelivered += wanted.len();
            let sequence = self.issued;
            self.queue.extend(wanted.into_iter().map(|endpoint| Job {
                sequence,
                event: id.clone(),
                kind: kind.to_owned(),
                endpoint,
                body: Arc::clone(&body),
                fault: fault.clone(),
            }));
        }
        let event = EventRecord {
            kind: kind.to_owned(),
            created: context.now,
            body,
        };
        self.events.insert_among(EVENTS, &id, event);
    }

    pub(crate) fn create_endpoint(&mut self, new: NewEndpoint, context: &Context) -> Value {
        let id = self.issue("we");
        let secret = format!("whsec_{}", self.issue("s").trim_start_matches("s_"));
        let endpoint = Endpoint {
            id,
            url: new.url,
            secret,
            events: new.events,
            created: context.now,
        };
        // The secret is told once, here.
        let json = endpoint.json(true);
        self.endpoints.push(endpoint);
        json
    }

    /// The endpoint of the double's owner: every event, one secret, another address when set again.
    pub(crate) fn set_default_endpoint(&mut self, url: &str, secret: &str, now: i64) {
        match self
            .endpoints
            .iter_mut()
            .find(|endpoint| endpoint.id == DEFAULT_ENDPOINT)
        {
            Some(endpoint) => url.clone_into(&mut endpoint.url),
            None => self.endpoints.push(Endpoint {
                id: DEFAULT_ENDPOINT.to_owned(),
                url: url.to_owned(),
                secret: secret.to_owned(),
                events: vec!["*".to_owned()],
                created: now,
            }),
        }
    }

    pub(crate) fn endpoint(&self, id: &str) -> Answered<&Endpoint> {
        let found = self.endpoints.iter().find(|endpoint| endpoint.id == id);
        found.ok_or_else(|| StripeError::no_such("webhook_endpoint", id))
    }

    pub(crate) fn delete_endpoint(&mut self, id: &str) -> Answered<Value> {
        self.endpoint(id)?;
        self.endpoints.retain(|endpoint| endpoint.id != id);
        Ok(json!({ "id": id, "object": "webhook_endpoint", "deleted": true }))
    }
}
