//! What the service hears on the bus.

use std::sync::Arc;

use bigtix_contracts::events::{Envelope, OrderState};
use bigtix_service::inbox::Subscription;

use crate::app::App;

/// Orders that closed, or that wait for a payment that has ended.
pub(crate) fn orders(app: Arc<App>) -> Subscription {
    Subscription::new("payments-orders", move |batch: Vec<Envelope<OrderState>>| {
        let app = Arc::clone(&app);
        async move { app.follow_orders(batch).await }
    })
}
