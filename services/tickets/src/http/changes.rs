//! Edit and withdraw.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use bigtix_contracts::api::tickets::Ticket;
use bigtix_contracts::{Problem, TicketId, UserId};
use bigtix_service::http::observe::TraceParent;
use bigtix_service::http::{ApiError, JsonBody, PathId, SignedIn};
use tracing::Instrument;

use super::answers::body;
use super::bodies::{TicketEdit, TicketPatch, read_edit, read_patch};
use crate::app::App;
use crate::app::change_ticket::ChangeRequest;
use crate::domain::change::Change;

/// Changes a ticket that nobody holds.
#[utoipa::path(
    put, path = "/api/tickets/{id}", tag = "tickets", params(("id" = TicketId, Path)), request_body = TicketEdit,
    responses(
        (status = 200, description = "The ticket as it is now", body = Ticket),
        (status = 404, description = "Ticket not found", body = Problem),
        (status = 409, description = "Ticket was changed meanwhile", body = Problem),
    ),
    security(("session" = []), ("bearer" = [])),
)]
pub(super) async fn replace_ticket(
    State(app): State<Arc<App>>,
    SignedIn(caller): SignedIn,
    PathId(id): PathId<TicketId>,
    trace: TraceParent,
    JsonBody(fields): JsonBody,
) -> Result<Json<Ticket>, ApiError> {
    let (change, based_on) = read_edit(fields)?;
    perform(app, id, caller.id, change, based_on, trace).await
}

/// Changes parts of a ticket that nobody holds.
#[utoipa::path(
    patch, path = "/api/tickets/{id}", tag = "tickets", params(("id" = TicketId, Path)), request_body = TicketPatch,
    responses(
        (status = 200, description = "The ticket as it is now", body = Ticket),
        (status = 404, description = "Ticket not found", body = Problem),
        (status = 409, description = "Ticket was changed meanwhile", body = Problem),
    ),
    security(("session" = []), ("bearer" = [])),
)]
pub(super) async fn patch_ticket(
    State(app): State<Arc<App>>,
    SignedIn(caller): SignedIn,
    PathId(id): PathId<TicketId>,
    trace: TraceParent,
    JsonBody(fields): JsonBody,
) -> Result<Json<Ticket>, ApiError> {
    let (change, based_on) = read_patch(fields)?;
    perform(app, id, caller.id, change, based_on, trace).await
}

/// Takes a ticket that nobody holds off sale, for ever.
#[utoipa::path(
    delete, path = "/api/tickets/{id}", tag = "tickets", params(("id" = TicketId, Path)),
    responses(
        (status = 200, description = "The ticket as it is now", body = Ticket),
        (status = 400, description = "A rule is broken", body = Problem),
        (status = 404, description = "Ticket not found", body = Problem),
    ),
    security(("session" = []), ("bearer" = [])),
)]
pub(super) async fn withdraw_ticket(
    State(app): State<Arc<App>>,
    SignedIn(caller): SignedIn,
    PathId(id): PathId<TicketId>,
    trace: TraceParent,
) -> Result<Json<Ticket>, ApiError> {
    perform(app, id, caller.id, Change::Withdraw, None, trace).await
}

/// Makes the change, to its end even when the caller hangs up: half of one would keep the ticket from being sold until
/// it is settled.
pub(super) async fn perform(
    app: Arc<App>,
    ticket_id: TicketId,
    caller: UserId,
    change: Change,
    based_on: Option<i64>,
    trace: TraceParent,
) -> Result<Json<Ticket>, ApiError> {
    let request = ChangeRequest {
        ticket_id,
        caller,
        change,
        based_on,
        trace: trace.0,
    };
    let changed = tokio::spawn(async move { app.change_ticket(request).await }.in_current_span());
    Ok(Json(body(changed.await.map_err(ApiError::internal)??)))
}
