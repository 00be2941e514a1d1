//! The use cases.

mod calls;
mod continue_payment;
mod drive;
mod follow_orders;
mod pay;
mod read_webhooks;
mod reconcile;
mod refund;
mod refusal;
mod take_webhook;

use std::sync::Arc;
use std::time::Duration;

use bigtix_service::Secret;
use bigtix_service::clock::StoreClock;
use tokio::sync::{Notify, Semaphore};

use crate::adapters::orders::Orders;
use crate::adapters::rows::Rows;
use crate::adapters::stripe::Stripe;
use crate::adapters::webhook_inbox::WebhookInbox;

pub(crate) use pay::Wish;
pub(crate) use refund::RefundWish;
pub(crate) use refusal::Refusal;
pub(crate) use take_webhook::WebhookRefusal;

/// How many payments one instance's background work drives at once.
const AT_ONCE: usize = 16;

/// What the use cases need; work that outlives its request has a clone.
#[derive(Clone)]
pub(crate) struct App {
    rows: Rows,
    stripe: Stripe,
    orders: Orders,
    inbox: WebhookInbox,
    webhook_secrets: Arc<Vec<Secret>>,
    /// Says that the inbox has something new.
    webhook_came: Arc<Notify>,
    workers: Arc<Semaphore>,
    timing: Timing,
}

/// What the use cases go by.
#[derive(Clone)]
pub(crate) struct Timing {
    /// That of leases, pauses and ages, on all instances.
    pub(crate) clock: StoreClock,
    /// How long a request waits for its payment.
    pub(crate) patience: Duration,
    /// After what time an attempt that Stripe ended without an intent is given up.
    pub(crate) give_up: Duration,
}

impl App {
    pub(crate) fn new(
        rows: Rows,
        stripe: Stripe,
        orders: Orders,
        inbox: WebhookInbox,
        webhook_secrets: Vec<Secret>,
        timing: Timing,
    ) -> Self {
        Self {
            rows,
            stripe,
            orders,
            inbox,
            webhook_secrets: Arc::new(webhook_secrets),
            webhook_came: Arc::default(),
            workers: Arc::new(Semaphore::new(AT_ONCE)),
            timing,
        }
    }
}
