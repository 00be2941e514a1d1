//! A Stripe double: a real HTTP server that speaks Stripe's public contract for what a card shop uses.
//!
//! It knows payment intents, charges, refunds, payment methods, card tokens, confirmation tokens, events and webhook
//! endpoints; Stripe's test cards; idempotency keys; signed webhooks. Everything is in memory behind one mutex; the
//! life of an intent is the pure state machine of [`intent`].
//!
//! ```no_run
//! use bigtix_testkit::stripe::{Fault, Operation, Options, RequestTrouble, StripeDouble};
//!
//! # async fn example() -> std::io::Result<()> {
//! let stripe = StripeDouble::start(Options::default()).await?;
//! // The next capture happens, but its answer is lost.
//! stripe.plan(Fault::request(Operation::Capture, RequestTrouble::TimeoutAfter));
//! // ... drive the service under test against `stripe.url` ...
//! assert_eq!(stripe.ledger().kept(), 0);
//! # Ok(())
//! # }
//! ```
//!
//! # Its own ways to be steered
//! * **By card name**: `tok_` and `pm_card_` names take a suffix `_fault_<operation>_<trouble>[_<n>]`, such as
//!   `tok_visa_fault_capture_timeout_after`; `n` is milliseconds for `slow` and a count otherwise. Each intent (each
//!   idempotency key, for a create) meets it anew.
//! * **By schedule**: [`Running::plan`] or `POST /_double/faults`, see [`Fault`]; `GET` shows what is left, `DELETE`
//!   forgets it.
//! * **The bank and the buyer**: [`Running::authenticate`], [`Running::settle`], [`Running::lapse`],
//!   [`Running::dispute`], [`Running::settle_refund`], and the same words below `/_double/payment_intents/:id/` and
//!   `/_double/refunds/:id/`, where the outcome is a body `{"success": true}`. `tok_visa_processing` is a card of the
//!   double's own whose bank answers only when it is settled.
//! * **In a browser**: `/v3/` is a script with a Payment Element, confirmation tokens and the bank's question, for pages
//!   that would load Stripe's.
//! * **The books**: [`Running::ledger`] or `GET /_double/ledger`; every webhook attempt: [`Running::deliveries`] or
//!   `GET /_double/deliveries`.
//!
//! # Where it knows less than Stripe
//! Cards only; no customers, Connect, balance or 3-D Secure exemptions; parameters of those are refused as unknown.
//! Keys never expire. Webhooks go to `http://` addresses. Wording of refusals is its own, except what buyers see.

mod account;
mod bank;
mod card;
mod control;
mod error;
mod events;
mod fault;
mod form;
mod http;
mod idempotency;
pub mod intent;
mod ledger;
mod methods;
mod params;
mod payments;
mod refunds;
mod render;
mod request;
mod server;
mod table;
mod webhook;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use account::Account;
pub use card::{Decline, Verdict};
pub use fault::{Fault, Operation, RequestFault, RequestTrouble, WebhookFault, WebhookTrouble};
pub use ledger::{Entry, Ledger};
use server::{Shared, now};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
pub use webhook::{Attempt, Delivery, signature};

/// How a double is started.
#[derive(Clone)]
pub struct Options {
    /// Where it listens; port 0 picks a free one.
    pub address: SocketAddr,
    /// Where others reach it, when that is not its address; for the links that it hands out.
    pub public_url: Option<String>,
    /// The shop's key.
    pub secret_key: String,
    /// The browser's key.
    pub publishable_key: String,
    /// Where every event is delivered to; see [`Running::set_webhook`].
    pub webhook_url: Option<String>,
    /// What those deliveries are signed with.
    pub webhook_secret: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            public_url: None,
            secret_key: "sk_test_bigtix".to_owned(),
            publishable_key: "pk_test_bigtix".to_owned(),
            webhook_url: None,
            webhook_secret: "whsec_bigtix".to_owned(),
        }
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// What the double refuses to do on request of a test.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Refused(String);

impl From<error::StripeError> for Refused {
    fn from(error: error::StripeError) -> Self {
        Self(error.body().to_string())
    }
}

/// The double, not yet started.
#[derive(Clone, Copy, Debug)]
pub struct StripeDouble;

impl StripeDouble {
    /// Starts one; must be called within a tokio runtime.
    ///
    /// # Errors
    /// The address cannot be listened on.
    pub async fn start(options: Options) -> std::io::Result<Running> {
        let listener = TcpListener::bind(options.address).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let account = Account {
            base_url: options.public_url.clone().unwrap_or_else(|| url.clone()),
            run: format!("{:06x}", rand::random::<u32>() >> 8),
            ..Account::default()
        };
        let shared = Arc::new(Shared::new(
            account,
            options.secret_key.clone(),
            options.publishable_key.clone(),
        ));
        let tasks = server::start(&shared, listener);
        let running = Running {
            url,
            secret_key: options.secret_key,
            publishable_key: options.publishable_key,
            webhook_secret: options.webhook_secret,
            shared,
            tasks: tasks.into(),
        };
        if let Some(url) = options.webhook_url {
            running.set_webhook(url);
        }
        Ok(running)
    }
}

/// A running double; it stops when dropped.
pub struct Running {
    /// Where it answers, without a slash at the end.
    pub url: String,
    /// The shop's key.
    pub secret_key: String,
    /// The browser's key.
    pub publishable_key: String,
    /// What deliveries to [`Running::set_webhook`]'s address are signed with.
    pub webhook_secret: String,
    shared: Arc<Shared>,
    tasks: Vec<JoinHandle<()>>,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

impl Running {
    /// The books as they are now.
    pub fn ledger(&self) -> Ledger {
        Ledger::of(&self.shared.account())
    }

    /// Plans trouble; plans of the same kind strike in the order in which they were made.
    pub fn plan(&self, fault: Fault) {
        self.shared.account().faults.add(fault);
    }

    /// What was planned and has not struck yet.
    pub fn planned(&self) -> Vec<Fault> {
        self.shared.account().faults.waiting().to_vec()
    }

    /// Forgets what was planned.
    pub fn clear_plans(&self) {
        self.shared.account().faults.clear();
    }

    /// The buyer's bank has made up its mind about the buyer: an intent in `requires_action` goes on, or fails.
    ///
    /// # Errors
    /// There is no such intent, or it waits for nothing.
    pub fn authenticate(&self, intent: &str, success: bool) -> Result<(), Refused> {
        Ok(self
            .shared
            .happen(|account, context| account.authenticate(intent, success, context))?)
    }

    /// The bank's late answer to an intent that is `processing`.
    ///
    /// # Errors
    /// There is no such intent, or it is not `processing`.
    pub fn settle(&self, intent: &str, success: bool) -> Result<(), Refused> {
        Ok(self
            .shared
            .happen(|account, context| account.settle(intent, success, context))?)
    }

    /// The hold of an intent in `requires_capture` lapses, as it does at Stripe after seven days.
    ///
    /// # Errors
    /// There is no such intent, or nothing is on hold.
    pub fn lapse(&self, intent: &str) -> Result<(), Refused> {
        Ok(self
            .shared
            .happen(|account, context| account.lapse(intent, context))?)
    }

    /// The buyer disputes the charge.
    ///
    /// # Errors
    /// There is no such intent, nothing was captured, or it is disputed already.
    pub fn dispute(&self, intent: &str) -> Result<(), Refused> {
        Ok(self
            .shared
            .happen(|account, context| account.dispute(intent, context))?)
    }

    /// The bank's late answer to a refund to one of the cards whose refunds take their time.
    ///
    /// # Errors
    /// There is no such refund, or nothing about it is open.
    pub fn settle_refund(&self, refund: &str, success: bool) -> Result<(), Refused> {
        Ok(self
            .shared
            .happen(|account, context| account.settle_refund(refund, success, context))?)
    }

    /// Delivers every event from now on to this `http://` address, signed with [`Running::webhook_secret`]; called
    /// again, also what could not be delivered yet.
    pub fn set_webhook(&self, url: impl AsRef<str>) {
        self.shared
            .account()
            .set_default_endpoint(url.as_ref(), &self.webhook_secret, now());
    }

    /// Every attempt to deliver an event, in the order in which they ended.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.shared.account().deliveries.iter().cloned().collect()
    }

    /// How many deliveries are still to be made or repeated.
    pub fn undelivered(&self) -> usize {
        self.shared.account().undelivered
    }

    /// Stops it and waits until its address is free.
    pub async fn stop(mut self) {
        self.shared.stop.cancel();
        for task in self.tasks.drain(..) {
            // A task that panicked has stopped too.
            let _ = task.await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shared.stop.cancel();
    }
}
