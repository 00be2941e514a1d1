//! Single tickets: list them for sale and look at them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use bigtix_contracts::api::tickets::Ticket;
use bigtix_contracts::{Problem, TicketId};
use bigtix_service::http::idempotency::EffectSeed;
use bigtix_service::http::observe::TraceParent;
use bigtix_service::http::params::PathText;
use bigtix_service::http::{ApiError, JsonBody, PathId, SignedIn};

use super::answers::{ListedTickets, bodies, body};
use super::bodies::{NewTicket, read_listing};
use super::rejections::{Wording, listing_error};
use crate::app::App;

/// Lists a ticket, or several alike.
#[utoipa::path(
    post, path = "/api/tickets", tag = "tickets", request_body = NewTicket,
    responses((status = 201, description = "The ticket; with a quantity, the tickets", body = ListedTickets)),
    security(("session" = []), ("bearer" = [])),
)]
pub(super) async fn create_tickets(
    State(app): State<Arc<App>>,
    SignedIn(caller): SignedIn,
    seed: EffectSeed,
    trace: TraceParent,
    JsonBody(fields): JsonBody,
) -> Result<(StatusCode, Json<ListedTickets>), ApiError> {
    let (drafts, several) = read_listing(fields)?;
    let listed = app
        .list_tickets(caller.id, drafts, seed, trace.0)
        .await
        .map_err(|error| listing_error(error, Wording::Canonical))?;
    let mut tickets = bodies(listed);
    let answer = match tickets.pop() {
        Some(only) if !several => ListedTickets::One(Box::new(only)),
        last => {
            tickets.extend(last);
            ListedTickets::Several(tickets)
        }
    };
    Ok((StatusCode::CREATED, Json(answer)))
}

/// One ticket, a withdrawn one too.
#[utoipa::path(
    get, path = "/api/tickets/{id}", tag = "tickets", params(("id" = TicketId, Path)),
    responses((status = 200, description = "The ticket", body = Ticket), (status = 400, description = "A parameter breaks a rule", body = Problem), (status = 404, description = "Ticket not found", body = Problem)),
)]
pub(super) async fn get_ticket(
    State(app): State<Arc<App>>,
    PathId(id): PathId<TicketId>,
) -> Result<Json<Ticket>, ApiError> {
    find_ticket(&app, id).await
}

pub(super) async fn find_ticket(app: &App, id: TicketId) -> Result<Json<Ticket>, ApiError> {
    app.tickets
        .find(id)
        .await?
        .map(|ticket| Json(body(ticket)))
        .ok_or_else(not_found)
}

/// The newest ticket with a serial number.
#[utoipa::path(
    get, path = "/api/tickets/serial-number/{serialNumber}", tag = "tickets", params(("serialNumber" = String, Path)),
    responses((status = 200, description = "The ticket", body = Ticket), (status = 400, description = "A parameter breaks a rule", body = Problem), (status = 404, description = "Ticket not found", body = Problem)),
)]
pub(super) async fn get_ticket_by_serial_number(
    State(app): State<Arc<App>>,
    PathText(serial_number): PathText,
) -> Result<Json<Ticket>, ApiError> {
    let found = app.tickets.find_by_serial(serial_number.trim()).await?;
    found.map(|ticket| Json(body(ticket))).ok_or_else(not_found)
}

fn not_found() -> ApiError {
    ApiError::not_found("Ticket not found")
}
