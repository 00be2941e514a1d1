//! Lists of tickets.

use std::sync::Arc;

use axum::extract::{OriginalUri, State};
use axum::http::Uri;
use axum::response::Response;
use bigtix_contracts::api::tickets::{Ticket, TicketStatus};
use bigtix_contracts::{EventId, Problem, UserId};
use bigtix_service::http::params::PathText;
use bigtix_service::http::{ApiError, Page, PathId, Query, SignedIn};
use utoipa::IntoParams;

use super::answers::{body, place};
use crate::app::App;
use crate::domain::selection::Selection;
use crate::domain::ticket::normal_event_id;
use crate::domain::words::query_words;

/// Which part of a list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the query")]
pub(super) struct PageQuery {
    /// How many rows; by default 50.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
    /// From the `x-next-cursor` of the page before.
    cursor: Option<String>,
}

/// Which tickets.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(dead_code, reason = "describes the query")]
pub(super) struct FilterQuery {
    /// `available` (the default), `reserved`, `sold`, or `all`, which has withdrawn ones too.
    #[param(inline)]
    status: Option<String>,
    /// Words that tickets have, in any case, in title, description, event title, venue or city.
    q: Option<String>,
    /// The event that tickets are for.
    event_id: Option<String>,
}

/// Tickets, newest first.
#[utoipa::path(
    get, path = "/api/tickets", tag = "tickets", params(FilterQuery, PageQuery),
    responses((status = 200, description = "A page of tickets", body = Vec<Ticket>), (status = 400, description = "A parameter breaks a rule", body = Problem)),
)]
pub(super) async fn list_tickets(
    State(app): State<Arc<App>>,
    OriginalUri(uri): OriginalUri,
    query: Query,
) -> Result<Response, ApiError> {
    list_filtered(&app, &uri, &query).await
}

pub(super) async fn list_filtered(app: &App, uri: &Uri, query: &Query) -> Result<Response, ApiError> {
    let selection = Selection {
        status: read_status(query)?,
        event_id: query.get("eventId").map(normal_event_id),
        words: query_words(query.get("q").unwrap_or_default()),
        ..Selection::default()
    };
    list(app, uri, query, selection).await
}

fn read_status(query: &Query) -> Result<Option<TicketStatus>, ApiError> {
    match query.get("status") {
        None | Some("available") => Ok(Some(TicketStatus::Available)),
        Some("reserved") => Ok(Some(TicketStatus::Reserved)),
        Some("sold") => Ok(Some(TicketStatus::Sold)),
        Some("all") => Ok(None),
        Some(_) => Err(ApiError::invalid(
            "status",
            "Status must be available, reserved, sold or all",
        )),
    }
}

/// All tickets of an event but withdrawn ones; none when the event is unknown.
#[utoipa::path(
    get, path = "/api/tickets/event/{eventId}", tag = "tickets", params(("eventId" = String, Path), PageQuery),
    responses((status = 200, description = "A page of tickets", body = Vec<Ticket>), (status = 400, description = "A parameter breaks a rule", body = Problem), (status = 404, description = "The path is not UTF-8", body = Problem)),
)]
pub(super) async fn list_event_tickets(
    State(app): State<Arc<App>>,
    PathText(event_id): PathText,
    OriginalUri(uri): OriginalUri,
    query: Query,
) -> Result<Response, ApiError> {
    let selection = Selection {
        listed: true,
        event_id: Some(normal_event_id(&event_id)),
        ..Selection::default()
    };
    list(&app, &uri, &query, selection).await
}

/// Available tickets of an event.
#[utoipa::path(
    get, path = "/api/tickets/for-event/{eventId}", tag = "tickets", params(("eventId" = String, Path), PageQuery),
    responses((status = 200, description = "A page of tickets", body = Vec<Ticket>), (status = 400, description = "A parameter breaks a rule", body = Problem), (status = 404, description = "Event not found", body = Problem)),
)]
pub(super) async fn list_free_event_tickets(
    State(app): State<Arc<App>>,
    PathText(event_id): PathText,
    OriginalUri(uri): OriginalUri,
    query: Query,
) -> Result<Response, ApiError> {
    let event_id = normal_event_id(&event_id);
    if !event_exists(&app, &event_id).await? {
        return Err(event_not_found());
    }
    list(&app, &uri, &query, available_of(event_id)).await
}

/// Whether the catalogue has the event, or some ticket names it.
pub(super) async fn event_exists(app: &App, event_id: &str) -> Result<bool, ApiError> {
    if let Ok(id) = event_id.parse::<EventId>()
        && app.catalogue.find(id).await?.is_some()
    {
        return Ok(true);
    }
    Ok(app.tickets.names_event(event_id).await?)
}

/// Available tickets of an event that was imported from Ticketmaster.
#[utoipa::path(
    get, path = "/api/tickets/tm-event/{tmEventId}", tag = "tickets", params(("tmEventId" = String, Path), PageQuery),
    responses((status = 200, description = "A page of tickets", body = Vec<Ticket>), (status = 400, description = "A parameter breaks a rule", body = Problem), (status = 404, description = "Event not found", body = Problem)),
)]
pub(super) async fn list_free_imported_event_tickets(
    State(app): State<Arc<App>>,
    PathText(tm_event_id): PathText,
    OriginalUri(uri): OriginalUri,
    query: Query,
) -> Result<Response, ApiError> {
    let event = app
        .catalogue
        .find_imported(tm_event_id.trim())
        .await?
        .ok_or_else(event_not_found)?;
    list(&app, &uri, &query, available_of(event.id.to_string())).await
}

/// All tickets of a seller, any status.
#[utoipa::path(
    get, path = "/api/tickets/user/{userId}", tag = "tickets", params(("userId" = UserId, Path), PageQuery),
    responses((status = 200, description = "A page of tickets", body = Vec<Ticket>), (status = 400, description = "A parameter breaks a rule", body = Problem)),
)]
pub(super) async fn list_user_tickets(
    State(app): State<Arc<App>>,
    PathId(seller): PathId<UserId>,
    OriginalUri(uri): OriginalUri,
    query: Query,
) -> Result<Response, ApiError> {
    list(
        &app,
        &uri,
        &query,
        Selection {
            seller: Some(seller),
            ..Selection::default()
        },
    )
    .await
}

/// All tickets of the caller, any status.
#[utoipa::path(
    get, path = "/api/tickets/currentuser", tag = "tickets", params(PageQuery),
    responses((status = 200, description = "A page of tickets", body = Vec<Ticket>), (status = 400, description = "A parameter breaks a rule", body = Problem)),
    security(("session" = []), ("bearer" = [])),
)]
pub(super) async fn list_own_tickets(
    State(app): State<Arc<App>>,
    SignedIn(caller): SignedIn,
    OriginalUri(uri): OriginalUri,
    query: Query,
) -> Result<Response, ApiError> {
    list(
        &app,
        &uri,
        &query,
        Selection {
            seller: Some(caller.id),
            ..Selection::default()
        },
    )
    .await
}

fn available_of(event_id: String) -> Selection {
    Selection {
        status: Some(TicketStatus::Available),
        event_id: Some(event_id),
        ..Selection::default()
    }
}

fn event_not_found() -> ApiError {
    ApiError::not_found("Event not found")
}

async fn list(app: &App, uri: &Uri, query: &Query, selection: Selection) -> Result<Response, ApiError> {
    let page = Page::read(query)?;
    let tickets = app.tickets.list(&selection, page).await?;
    Ok(page.answer(uri, tickets, place, body))
}
