//! One request of the load: sent once, its outcome read without any client's help, and taken down.

use std::sync::Arc;
use std::time::Duration;

use bigtix_client::Token;
use bigtix_contracts::UserId;
use bigtix_contracts::api::auth::User;
use bigtix_contracts::api::tickets::Ticket;
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::history::{Action, Moment, Operation, Outcome, Recorder, Seen};

/// How long an answer is waited for: longer than payments waits for Stripe.
const PATIENCE: Duration = Duration::from_secs(20);

/// Somebody with an account, signed in.
#[derive(Debug, Clone)]
pub struct Account {
    /// Who.
    pub user: UserId,
    /// The session.
    pub token: Token,
}

/// A request that can be sent again as it is.
#[derive(Debug, Clone)]
pub struct Request {
    /// What is asked for.
    pub action: Action,
    /// The body.
    pub body: Option<Value>,
    /// The idempotency key.
    pub key: Option<String>,
}

/// Asks one shop, and takes everything down.
#[derive(Clone)]
pub struct Asker {
    http: reqwest::Client,
    url: Arc<str>,
    recorder: Arc<Recorder>,
}

impl Asker {
    /// Of the shop at this address.
    ///
    /// # Errors
    /// When the system has no certificates.
    pub fn new(url: &str, recorder: Arc<Recorder>) -> reqwest::Result<Self> {
        // It chooses the provider of cryptography for this process.
        let _ = bigtix_client::Client::new(url);
        let http = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self {
            http,
            url: url.into(),
            recorder,
        })
    }

    /// Sends it once.
    pub async fn ask(&self, who: Option<&Account>, request: &Request) -> Outcome {
        self.ask_from(who, request, "").await
    }

    /// Sends it once, with a query such as `?limit=200`.
    pub async fn ask_from(&self, who: Option<&Account>, request: &Request, query: &str) -> Outcome {
        let Request { action, body, key } = request;
        let invoked = Moment::now();
        let outcome = match self.send(who, action, body.as_ref(), key.as_deref(), query).await {
            Ok((status, text)) => read(action, status, &text),
            Err(_) => Outcome::Unknown { status: None },
        };
        self.recorder.record(Operation {
            user: who.map(|account| account.user),
            action: action.clone(),
            key: key.clone(),
            invoked,
            finished: Moment::now(),
            outcome: outcome.clone(),
        });
        outcome
    }

    async fn send(
        &self,
        who: Option<&Account>,
        action: &Action,
        body: Option<&Value>,
        key: Option<&str>,
        query: &str,
    ) -> reqwest::Result<(u16, Vec<u8>)> {
        let (_, method, template) = action.route();
        let method = match method {
            "post" => Method::POST,
            "patch" => Method::PATCH,
            "delete" => Method::DELETE,
            _ => Method::GET,
        };
        let url = format!("{}{}{query}", self.url, path(action, template));
        let mut request = self.http.request(method, url);
        if let Some(account) = who {
            request = request.bearer_auth(account.token.expose());
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        Ok((status, answer.bytes().await?.to_vec()))
    }
}

/// The template with its id.
fn path(action: &Action, template: &str) -> String {
    let id = match action {
        Action::Edit { ticket, price: _ } | Action::Withdraw { ticket } | Action::ReadTicket { ticket } => {
            ticket.to_string()
        }
        Action::Continue { order }
        | Action::Cancel { order }
        | Action::Refund { order, relist: _ }
        | Action::ReadOrder { order }
        | Action::ReadPayment { order } => order.to_string(),
        Action::SignUp { .. }
        | Action::List { .. }
        | Action::Place { .. }
        | Action::PlaceAny { .. }
        | Action::Pay { .. }
        | Action::Forge
        | Action::ReadOrders => String::new(),
    };
    template.replace("{id}", &id).replace("{orderId}", &id)
}

fn read(action: &Action, status: u16, text: &[u8]) -> Outcome {
    match status {
        200..=299 => match seen(action, text) {
            Ok(seen) => Outcome::Ok { status, seen },
            // A checker finds a success that failed.
            Err(error) => Outcome::Failed {
                status,
                code: format!("unreadable: {error}"),
            },
        },
        500..=599 => Outcome::Unknown { status: Some(status) },
        _ => {
            let problem: Value = serde_json::from_slice(text).unwrap_or_default();
            let code = problem["code"].as_str().unwrap_or("no problem").to_owned();
            Outcome::Failed { status, code }
        }
    }
}

fn seen(action: &Action, text: &[u8]) -> serde_json::Result<Seen> {
    fn json<T: DeserializeOwned>(text: &[u8]) -> serde_json::Result<T> {
        serde_json::from_slice(text)
    }
    Ok(match action {
        Action::SignUp { .. } => Seen::User(json::<User>(text)?.id),
        Action::List { .. } => Seen::Tickets(json(text)?),
        Action::Edit { .. } | Action::Withdraw { .. } | Action::ReadTicket { .. } => {
            Seen::Tickets(vec![json::<Ticket>(text)?])
        }
        Action::Place { .. } | Action::PlaceAny { .. } | Action::ReadOrder { .. } => {
            Seen::Order(Box::new(json(text)?))
        }
        Action::Pay { .. } | Action::Continue { .. } | Action::Refund { .. } | Action::ReadPayment { .. } => {
            Seen::Payment(Box::new(json(text)?))
        }
        Action::ReadOrders => Seen::Orders(json(text)?),
        Action::Cancel { .. } | Action::Forge => Seen::Nothing,
    })
}
