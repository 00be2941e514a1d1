//! What the service listens to: subject -> use case.

use std::sync::Arc;

use bigtix_contracts::events::{Envelope, TicketState, TimerState, Versioned};
use bigtix_service::inbox::{HandlerError, Subscription};

use crate::app::App;

/// The subscriptions.
pub(crate) fn subscriptions(app: &Arc<App>) -> Vec<Subscription> {
    let (tickets, timers) = (Arc::clone(app), Arc::clone(app));
    vec![
        Subscription::new("orders-tickets", move |events: Vec<Envelope<TicketState>>| {
            let app = Arc::clone(&tickets);
            async move {
                let states = events
                    .into_iter()
                    .map(|event| Versioned {
                        version: event.version,
                        state: event.data,
                    })
                    .collect();
                app.track_tickets(states).await.map_err(HandlerError::from)
            }
        }),
        Subscription::new("orders-expiration", move |events: Vec<Envelope<TimerState>>| {
            let app = Arc::clone(&timers);
            async move {
                let due: Vec<_> = events.iter().flat_map(|event| event.data.orders()).collect();
                app.expire_orders(&due).await.map_err(HandlerError::from)
            }
        }),
    ]
}
