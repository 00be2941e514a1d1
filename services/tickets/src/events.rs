//! What the service listens to: subject -> use case.

use std::sync::Arc;

use bigtix_contracts::events::{Envelope, OrderState};
use bigtix_service::inbox::{HandlerError, Subscription};

use crate::app::App;

/// The subscriptions.
pub(crate) fn subscriptions(app: &Arc<App>) -> Vec<Subscription> {
    let orders = Arc::clone(app);
    vec![Subscription::new(
        "tickets-orders",
        move |events: Vec<Envelope<OrderState>>| {
            let app = Arc::clone(&orders);
            async move { app.project_orders(events).await.map_err(HandlerError::from) }
        },
    )]
}
