//! What the service listens to: subject -> use case.

use bigtix_contracts::events::{Envelope, TicketState, TimerState, Versioned};
use bigtix_service::inbox::{HandlerError, Subscription};

use crate::app::App;

/// The subscriptions.
pub(crate) fn subscriptions(app: &App) -> Vec<Subscription> {
    let (tickets, timers) = (app.clone(), app.clone());
    vec![
        Subscription::new("orders-tickets", move |events: Vec<Envelope<TicketState>>| {
            let app = tickets.clone();
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
            let app = timers.clone();
            async move {
                for event in events {
                    app.expire_order(event.data.order_id).await?;
                }
                Ok::<(), HandlerError>(())
            }
        }),
    ]
}
