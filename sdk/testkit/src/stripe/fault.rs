//! Plans for trouble: what goes wrong, at which operation, how often.

use std::collections::HashMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Create a payment intent, confirmed at once or not.
    Create,
    /// Confirm one.
    Confirm,
    /// Capture one.
    Capture,
    /// Cancel one.
    Cancel,
    /// Read one.
    Retrieve,
    /// List them.
    List,
    /// Refund one.
    Refund,
}

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestTrouble {
    /// Nothing happens; the connection is held, then dropped without an answer.
    TimeoutBefore,
    /// It happens; the connection is held, then dropped without an answer.
    TimeoutAfter,
    /// Nothing happens; 500, not stored under the idempotency key.
    ErrorBefore,
    /// Nothing happens; 500, stored: the key answers 500 for ever.
    ErrorBeforeStored,
    /// It happens; 500, stored: the key answers 500 for ever.
    ErrorAfter,
    /// It happens after a while; the idempotency key is in use meanwhile.
    Slow,
    /// Nothing happens; 429, not stored.
    RateLimited,
}

impl RequestTrouble {
    const ALL: [(&'static str, Self); 7] = [
        ("timeout_before", Self::TimeoutBefore),
        ("timeout_after", Self::TimeoutAfter),
        ("error_before_stored", Self::ErrorBeforeStored),
        ("error_before", Self::ErrorBefore),
        ("error_after", Self::ErrorAfter),
        ("slow", Self::Slow),
        ("rate_limited", Self::RateLimited),
    ];

    /// Whether it can meet a request whose answer is already stored: networks fail then too, but nothing executes.
    fn meets_replays(self) -> bool {
        match self {
            Self::TimeoutBefore | Self::TimeoutAfter | Self::RateLimited => true,
            Self::ErrorBefore | Self::ErrorBeforeStored | Self::ErrorAfter | Self::Slow => false,
        }
    }
}

/// What goes wrong with a webhook delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookTrouble {
    /// Delivered twice.
    Duplicate,
    /// Delivered after the event that follows it (or after two seconds when none follows).
    Reordered,
    /// Delivered late.
    Delayed,
    /// Never delivered; it stays in `/v1/events`.
    Lost,
    /// Delivered, and once more with a good signature that is an hour old.
    Replayed,
    /// Delivered with a forged signature first, then properly.
    WrongSignature,
}

/// Trouble with requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestFault {
    /// Which requests.
    pub operation: Operation,
    /// What goes wrong.
    pub kind: RequestTrouble,
    /// How many of them; 1 when absent.
    #[serde(default = "once")]
    pub times: u32,
    /// `slow`: how long (1,000 when absent); timeouts: how long the connection is held (30,000 when absent).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ms: Option<u64>,
}

/// Trouble with webhooks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookFault {
    /// What goes wrong.
    pub webhook: WebhookTrouble,
    /// Which type of event, such as `payment_intent.succeeded`; any when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// How many of them; 1 when absent.
    #[serde(default = "once")]
    pub times: u32,
    /// `delayed`: how long (1,000 when absent).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ms: Option<u64>,
}

/// One planned trouble. As JSON `{"request": {"operation": "capture", "kind": "timeout_after", "times": 1}}` or
/// `{"delivery": {"webhook": "duplicate", "event": "payment_intent.succeeded", "times": 1}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fault {
    /// With requests.
    Request(RequestFault),
    /// With webhooks.
    #[serde(rename = "delivery")]
    Webhook(WebhookFault),
}

impl Fault {
    /// `kind` at the next request of `operation`.
    pub fn request(operation: Operation, kind: RequestTrouble) -> Self {
        Self::Request(RequestFault {
            operation,
            kind,
            times: 1,
            ms: None,
        })
    }

    /// `webhook` at the next event of any type.
    pub fn webhook(webhook: WebhookTrouble) -> Self {
        Self::Webhook(WebhookFault {
            webhook,
            event: None,
            times: 1,
            ms: None,
        })
    }

    /// `webhook` at the next event of this type.
    pub fn webhook_of(event: impl Into<String>, webhook: WebhookTrouble) -> Self {
        Self::Webhook(WebhookFault {
            webhook,
            event: Some(event.into()),
            times: 1,
            ms: None,
        })
    }

    /// That many times.
    pub fn times(mut self, count: u32) -> Self {
        match &mut self {
            Self::Request(fault) => fault.times = count,
            Self::Webhook(fault) => fault.times = count,
        }
        self
    }

    /// For that long.
    pub fn lasting(mut self, duration: Duration) -> Self {
        let millis = Some(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX));
        match &mut self {
            Self::Request(fault) => fault.ms = millis,
            Self::Webhook(fault) => fault.ms = millis,
        }
        self
    }
}

impl RequestFault {
    pub(crate) fn duration(&self) -> Duration {
        let default = if self.kind == RequestTrouble::Slow {
            1_000
        } else {
            30_000
        };
        Duration::from_millis(self.ms.unwrap_or(default))
    }
}

impl WebhookFault {
    pub(crate) fn duration(&self) -> Duration {
        Duration::from_millis(self.ms.unwrap_or(1_000))
    }
}

fn once() -> u32 {
    1
}

const MARK: &str = "_fault_";

/// Splits `tok_visa_fault_capture_timeout_after_2` into `tok_visa` and its fault. The number is milliseconds for
/// `slow` and a count otherwise. A name without the mark, or with a plan that makes no sense, is returned as it is.
pub(crate) fn carried_by(name: &str) -> (&str, Option<RequestFault>) {
    match name
        .split_once(MARK)
        .and_then(|(card, plan)| Some((card, parse(plan)?)))
    {
        Some((card, fault)) => (card, Some(fault)),
        None => (name, None),
    }
}

fn parse(plan: &str) -> Option<RequestFault> {
    let (operation, rest) = plan.split_once('_')?;
    let operation = serde_json::from_value(operation.into()).ok()?;
    let (word, kind) = RequestTrouble::ALL
        .into_iter()
        .find(|(word, _)| rest.starts_with(word))?;
    let number = match rest[word.len()..].strip_prefix('_') {
        Some(digits) => Some(digits.parse::<u32>().ok()?),
        None if rest.len() == word.len() => None,
        None => return None,
    };
    Some(match kind {
        RequestTrouble::Slow => RequestFault {
            operation,
            kind,
            times: 1,
            ms: number.map(u64::from),
        },
        kind => RequestFault {
            operation,
            kind,
            times: number.unwrap_or(1),
            ms: None,
        },
    })
}

/// What is still to go wrong.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    waiting: Vec<Fault>,
    /// How often a fault carried by a card struck, by card name and scope (an intent, or the key of a create).
    carried: HashMap<(Operation, String), u32>,
}

impl Plan {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.waiting.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
    }

    pub(crate) fn waiting(&self) -> &[Fault] {
        &self.waiting
    }

    /// The trouble that meets this request, if any, and counts it. `carried` is what the card's name asks for, within
    /// a scope: each scope meets it anew.
    pub(crate) fn strike(
        &mut self,
        operation: Operation,
        replay: bool,
        carried: Option<(RequestFault, String)>,
    ) -> Option<RequestFault> {
        let fits =
            |fault: &RequestFault| fault.operation == operation && (!replay || fault.kind.meets_replays());
        if let Some((fault, scope)) = carried.filter(|(fault, _)| fits(fault)) {
            let struck = self.carried.entry((operation, scope)).or_default();
            if *struck < fault.times {
                *struck += 1;
                return Some(fault);
            }
        }
        let place = self
            .waiting
            .iter()
            .position(|fault| matches!(fault, Fault::Request(fault) if fits(fault)))?;
        let Fault::Request(fault) = &mut self.waiting[place] else {
            return None;
        };
        let struck = *fault;
        fault.times = fault.times.saturating_sub(1);
        if fault.times == 0 {
            self.waiting.remove(place);
        }
        Some(struck)
    }

    /// The trouble that meets the delivery of an event of this type, if any, and counts it.
    pub(crate) fn strike_webhook(&mut self, event: &str) -> Option<WebhookFault> {
        let fits = |fault: &WebhookFault| fault.event.as_deref().is_none_or(|wanted| wanted == event);
        let place = self
            .waiting
            .iter()
            .position(|fault| matches!(fault, Fault::Webhook(fault) if fits(fault)))?;
        let Fault::Webhook(fault) = &mut self.waiting[place] else {
            return None;
        };
        let struck = fault.clone();
        fault.times = fault.times.saturating_sub(1);
        if fault.times == 0 {
            self.waiting.remove(place);
        }
        Some(struck)
    }
}

#[cfg(test)]
mod tests;
