//! What other services ask of this one.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use bigtix_contracts::events::Versioned;
use bigtix_contracts::internal::{ReadEventTickets, ReadTickets, TicketList, paths};
use bigtix_service::http::ApiError;
use bigtix_service::internal::Call;

use super::lists::event_exists;
use crate::app::App;
use crate::domain::ticket::{Ticket, normal_event_id};

/// The most tickets that are read by one call.
const MOST_IDS: usize = 1_000;

pub(super) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route(paths::READ_TICKETS, post(read_tickets))
        .route(paths::READ_EVENT_TICKETS, post(read_event_tickets))
        .with_state(app)
}

async fn read_tickets(
    State(app): State<Arc<App>>,
    Call(ReadTickets { ids }): Call<ReadTickets>,
) -> Result<Json<TicketList>, ApiError> {
    if ids.len() > MOST_IDS {
        return Err(ApiError::invalid(
            "ids",
            format!("Ids must be at most {MOST_IDS}"),
        ));
    }
    let tickets = app.tickets.find_all(&ids).await?;
    Ok(Json(TicketList {
        tickets: versioned(tickets),
        versions: Vec::new(),
        event_exists: true,
    }))
}

async fn read_event_tickets(
    State(app): State<Arc<App>>,
    Call(ReadEventTickets {
        event_id,
        versions_only,
    }): Call<ReadEventTickets>,
) -> Result<Json<TicketList>, ApiError> {
    let event_id = normal_event_id(&event_id);
    let (tickets, versions) = if versions_only {
        (Vec::new(), app.tickets.versions_of_event(&event_id).await?)
    } else {
        (app.tickets.of_event(&event_id).await?, Vec::new())
    };
    let is_named = !(tickets.is_empty() && versions.is_empty());
    Ok(Json(TicketList {
        tickets: versioned(tickets),
        versions,
        event_exists: is_named || event_exists(&app, &event_id).await?,
    }))
}

fn versioned(tickets: Vec<Ticket>) -> Vec<Versioned<bigtix_contracts::events::TicketState>> {
    tickets
        .into_iter()
        .map(|ticket| Versioned {
            version: ticket.version,
            state: ticket.state,
        })
        .collect()
}
