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

/// What the use cases need; cheap to clone.
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
    patience: Duration,
    give_up: Duration,
}

impl App {
    pub(crate) fn new(
        rows: Rows,
        stripe: Stripe,
        orders: Orders,
        inbox: WebhookInbox,
        webhook_secrets: Vec<Secret>,
        patience: Duration,
        give_up: Duration,
    ) -> Self {
        Self {
            rows,
            stripe,
            orders,
            inbox,
            webhook_secrets: Arc::new(webhook_secrets),
            webhook_came: Arc::default(),
            workers: Arc::new(Semaphore::new(AT_ONCE)),
            patience,
            give_up,
        }
    }
}
