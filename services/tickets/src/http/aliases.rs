//! Paths of the systems that this one replaces. Those that change something validate the body first.

use std::sync::Arc;

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::http::StatusCode;
use axum::response::Response;
use bigtix_contracts::api::tickets::{CreatedTickets, Ticket};
use bigtix_contracts::{Problem, TicketId};
use bigtix_service::http::idempotency::EffectSeed;
use bigtix_service::http::observe::TraceParent;
use bigtix_service::http::{ApiError, JsonBody, PathId, Query, Visitor};

use super::answers::bodies;
use super::bodies::{
    AliasTicket, AliasTickets, NamedTicketEdit, TicketEdit, read_alias_listing, read_alias_listings,
    read_edit, read_named_edit,
};
use super::changes::perform;
use super::lists::{FilterQuery, PageQuery, list_filtered};
use super::rejections::{Wording, listing_error};
use super::tickets::find_ticket;
use crate::app::App;

/// Same as `GET /api/tickets`.
#[utoipa::path(
    get, path = "/api/tickets/all", tag = "aliases", params(FilterQuery, PageQuery),
    responses((status = 200, description = "A page of tickets", body = Vec<Ticket>), (status = 400, description = "A parameter breaks a rule", body = Problem)),
)]
#[deprecated = "alias of GET /api/tickets"]
pub(super) async fn list_all_tickets(
    State(app): State<Arc<App>>,
    OriginalUri(uri): OriginalUri,
    query: Query,
) -> Result<Response, ApiError> {
    list_filtered(&app, &uri, &query).await
}

/// Same as `GET /api/tickets/{id}`.
#[utoipa::path(
    get, path = "/api/tickets/get-ticket/{id}", tag = "aliases", params(("id" = TicketId, Path)),
    responses((status = 200, description = "The ticket", body = Ticket), (status = 400, description = "A parameter breaks a rule", body = Problem), (status = 404, description = "Ticket not found", body = Problem)),
)]
#[deprecated = "alias of GET /api/tickets/{id}"]
pub(super) async fn get_ticket_by_alias(
    State(app): State<Arc<App>>,
    PathId(id): PathId<TicketId>,
) -> Result<Json<Ticket>, ApiError> {
    find_ticket(&app, id).await
}

/// Lists a ticket, by stricter rules.
#[utoipa::path(
    post, path = "/api/tickets/create", tag = "aliases", request_body = AliasTicket,
    responses((status = 201, description = "The ticket", body = Ticket)),
    security(("session" = []), ("bearer" = [])),
)]
#[deprecated = "alias of POST /api/tickets"]
pub(super) async fn create_ticket_by_alias(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    seed: EffectSeed,
    trace: TraceParent,
    JsonBody(fields): JsonBody,
) -> Result<(StatusCode, Json<Ticket>), ApiError> {
    let draft = read_alias_listing(fields)?;
    let caller = visitor.require()?;
    let listed = app
        .list_tickets(caller.id, vec![draft], seed, trace.0)
        .await
        .map_err(|error| listing_error(error, Wording::Alias))?;
    let ticket = bodies(listed)
        .pop()
        .ok_or_else(|| ApiError::internal("one draft became no ticket"))?;
    Ok((StatusCode::CREATED, Json(ticket)))
}

/// Lists several tickets, all or none.
#[utoipa::path(
    post, path = "/api/tickets/createmulti", tag = "aliases", request_body = AliasTickets,
    responses((status = 201, description = "The tickets", body = CreatedTickets)),
    security(("session" = []), ("bearer" = [])),
)]
#[deprecated = "POST /api/tickets with a quantity lists several alike"]
pub(super) async fn create_many_tickets(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    seed: EffectSeed,
    trace: TraceParent,
    JsonBody(fields): JsonBody,
) -> Result<(StatusCode, Json<CreatedTickets>), ApiError> {
    let drafts = read_alias_listings(fields)?;
    let caller = visitor.require()?;
    let listed = app
        .list_tickets(caller.id, drafts, seed, trace.0)
        .await
        .map_err(|error| listing_error(error, Wording::AliasArray))?;
    Ok((
        StatusCode::CREATED,
        Json(CreatedTickets {
            success: true,
            tickets: bodies(listed),
        }),
    ))
}

/// Same as `PUT /api/tickets/{id}`, with the id in the body.
#[utoipa::path(
    put, path = "/api/tickets", tag = "aliases", request_body = NamedTicketEdit,
    responses(
        (status = 200, description = "The ticket as it is now", body = Ticket),
        (status = 404, description = "Ticket not found", body = Problem),
        (status = 409, description = "Ticket was changed meanwhile", body = Problem),
    ),
    security(("session" = []), ("bearer" = [])),
)]
#[deprecated = "alias of PUT /api/tickets/{id}"]
pub(super) async fn replace_ticket_named_in_body(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    trace: TraceParent,
    JsonBody(fields): JsonBody,
) -> Result<Json<Ticket>, ApiError> {
    let (id, change, based_on) = read_named_edit(fields)?;
    let caller = visitor.require()?;
    perform(app, id, caller.id, change, based_on, trace).await
}

/// Same as `PUT /api/tickets/{id}`.
#[utoipa::path(
    put, path = "/api/tickets/update/{id}", tag = "aliases", params(("id" = TicketId, Path)), request_body = TicketEdit,
    responses(
        (status = 200, description = "The ticket as it is now", body = Ticket),
        (status = 404, description = "Ticket not found", body = Problem),
        (status = 409, description = "Ticket was changed meanwhile", body = Problem),
    ),
    security(("session" = []), ("bearer" = [])),
)]
#[deprecated = "alias of PUT /api/tickets/{id}"]
pub(super) async fn update_ticket(
    State(app): State<Arc<App>>,
    PathId(id): PathId<TicketId>,
    visitor: Visitor,
    trace: TraceParent,
    JsonBody(fields): JsonBody,
) -> Result<Json<Ticket>, ApiError> {
    let (change, based_on) = read_edit(fields)?;
    let caller = visitor.require()?;
    perform(app, id, caller.id, change, based_on, trace).await
}
