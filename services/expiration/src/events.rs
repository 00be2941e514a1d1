//! What the service listens to: subject -> use case.

use bigtix_contracts::events::{Envelope, OrderState};
use bigtix_service::inbox::{HandlerError, Subscription};

use crate::app::App;

/// Orders come and go.
pub(crate) fn orders(app: &App) -> Subscription {
    let app = app.clone();
    Subscription::new("expiration-orders", move |events: Vec<Envelope<OrderState>>| {
        let app = app.clone();
        async move {
            let orders: Vec<OrderState> = events.into_iter().map(|event| event.data).collect();
            app.follow_orders(&orders).await.map_err(HandlerError::from)
        }
    })
}
