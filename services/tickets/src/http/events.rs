//! The catalogue of events.

use std::sync::Arc;

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use bigtix_contracts::api::tickets::Event;
use bigtix_contracts::{EventId, Problem};
use bigtix_service::http::idempotency::EffectSeed;
use bigtix_service::http::params::PathText;
use bigtix_service::http::{ApiError, JsonBody, Page, PathId, Query, SignedIn, Visitor};
use utoipa::IntoParams;

use super::bodies::{ImportEvent, NewEvent, read_event, read_import};
use super::lists::PageQuery;
use crate::app::App;
use crate::domain::words::query_words;

/// What to search for.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the query")]
pub(super) struct KeywordQuery {
    /// Words that events have, in any case, in title, venue, city or description.
    #[param(min_length = 1)]
    keyword: String,
}

/// All events, newest first.
#[utoipa::path(
    get, path = "/api/events", tag = "events", params(PageQuery),
    responses((status = 200, description = "A page of events", body = Vec<Event>), (status = 400, description = "A parameter breaks a rule", body = Problem)),
)]
pub(super) async fn list_events(
    State(app): State<Arc<App>>,
    OriginalUri(uri): OriginalUri,
    query: Query,
) -> Result<Response, ApiError> {
    list(&app, &uri, &query, &[]).await
}

/// Events with all of the words.
#[utoipa::path(
    get, path = "/api/events/search", tag = "events", params(KeywordQuery, PageQuery),
    responses((status = 200, description = "A page of events", body = Vec<Event>), (status = 400, description = "A parameter breaks a rule", body = Problem)),
)]
pub(super) async fn search_events(
    State(app): State<Arc<App>>,
    OriginalUri(uri): OriginalUri,
    query: Query,
) -> Result<Response, ApiError> {
    let words = query_words(query.get("keyword").unwrap_or_default());
    if words.is_empty() {
        return Err(ApiError::invalid("keyword", "Keyword is required"));
    }
    list(&app, &uri, &query, &words).await
}

async fn list(app: &App, uri: &Uri, query: &Query, words: &[String]) -> Result<Response, ApiError> {
    let page = Page::read(query)?;
    let rows = app.catalogue.list(words, page).await?;
    Ok(page.answer(uri, rows, |row| row.place, |row| row.event))
}

/// One event.
#[utoipa::path(
    get, path = "/api/events/{id}", tag = "events", params(("id" = EventId, Path)),
    responses((status = 200, description = "The event", body = Event), (status = 400, description = "A parameter breaks a rule", body = Problem), (status = 404, description = "Event not found", body = Problem)),
)]
pub(super) async fn get_event(
    State(app): State<Arc<App>>,
    PathId(id): PathId<EventId>,
) -> Result<Json<Event>, ApiError> {
    app.catalogue
        .find(id)
        .await?
        .map(Json)
        .ok_or_else(|| ApiError::not_found("Event not found"))
}

/// Adds an event to the catalogue.
#[utoipa::path(
    post, path = "/api/events", tag = "events", request_body = NewEvent,
    responses((status = 201, description = "The event", body = Event)),
    security(("session" = []), ("bearer" = [])),
)]
pub(super) async fn add_event(
    State(app): State<Arc<App>>,
    SignedIn(caller): SignedIn,
    seed: EffectSeed,
    JsonBody(fields): JsonBody,
) -> Result<(StatusCode, Json<Event>), ApiError> {
    let draft = read_event(fields)?;
    let event = draft.add(EventId::from_bytes(seed.id("event", 0)), caller.id, None);
    Ok((
        StatusCode::CREATED,
        Json(app.catalogue.add(event, app.clock.now()).await?),
    ))
}

/// Imports an event from Ticketmaster, once.
#[utoipa::path(
    post, path = "/api/events/create", tag = "events", request_body = ImportEvent,
    responses((status = 201, description = "The event", body = Event), (status = 404, description = "Event not found", body = Problem)),
    security(("session" = []), ("bearer" = [])),
)]
pub(super) async fn import_event(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    JsonBody(fields): JsonBody,
) -> Result<(StatusCode, Json<Event>), ApiError> {
    let tm_event_id = read_import(fields)?;
    let caller = visitor.require()?;
    Ok((
        StatusCode::CREATED,
        Json(app.import_event(&tm_event_id, caller.id).await?),
    ))
}

/// An event of Ticketmaster. Its id is the one that it has, or will have, here; before anybody has imported it, its
/// `userId` is all zeros.
#[utoipa::path(
    get, path = "/api/events/details/{tmEventId}", tag = "events", params(("tmEventId" = String, Path)),
    responses((status = 200, description = "The event", body = Event), (status = 400, description = "A parameter breaks a rule", body = Problem), (status = 404, description = "Event not found", body = Problem)),
)]
pub(super) async fn get_event_details(
    State(app): State<Arc<App>>,
    PathText(tm_event_id): PathText,
) -> Result<Json<Event>, ApiError> {
    Ok(Json(app.look_at_event(tm_event_id.trim()).await?))
}
