//! What the service listens to: subject -> use case.

use bigtix_contracts::events::{Envelope, OrderState};
use bigtix_service::inbox::{HandlerError, Subscription};

use crate::app::App;

/// The subscriptions.
pub(crate) fn subscriptions(app: &App) -> Vec<Subscription> {
    let orders = app.clone();
    vec![Subscription::new(
        "tickets-orders",
        move |events: Vec<Envelope<OrderState>>| {
            let app = orders.clone();
            async move { app.project_orders(events).await.map_err(HandlerError::from) }
        },
    )]
}
