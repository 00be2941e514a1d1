//! Paths of the systems that this one replaces. They speak the aliases' vocabulary and validate the body first.

use std::sync::Arc;

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::http::StatusCode;
use axum::response::Response;
use bigtix_contracts::api::orders::{Order, OrderedTicket, PartialOrder, Vocabulary};
use bigtix_contracts::{OrderId, Problem, TicketId};
use bigtix_service::http::idempotency::EffectSeed;
use bigtix_service::http::observe::TraceParent;
use bigtix_service::http::{ApiError, JsonBody, PathId, Query, SignedIn, Visitor};
use serde::Deserialize;
use utoipa::ToSchema;

use super::orders::{cancel, list, own_order};
use super::wishes::{read_tickets, wish};
use crate::app::App;
use crate::app::place_partial::Partial;

/// Tickets that are asked for, each by `id` or `ticketId`; a price is accepted and never used.
#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body in the API's document")]
pub(super) struct PlacePartial {
    tickets: Vec<PartialTicket>,
}

/// One of them.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes the body in the API's document")]
pub(super) struct PartialTicket {
    id: Option<TicketId>,
    ticket_id: Option<TicketId>,
    price: Option<f64>,
}

/// What an order can be updated to.
#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body in the API's document")]
pub(super) struct UpdateOrder {
    /// `cancelled` and nothing else.
    status: String,
}

/// Same as `GET /api/orders`.
#[utoipa::path(
    get, path = "/api/orders/all", tag = "aliases",
    params(("limit" = Option<i64>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = Vec<Order>), (status = 400, body = Problem)),
    security(("session" = []), ("bearer" = [])),
)]
#[deprecated = "alias of GET /api/orders"]
pub(super) async fn list_all_orders(
    State(app): State<Arc<App>>,
    SignedIn(caller): SignedIn,
    uri: OriginalUri,
    query: Query,
) -> Result<Response, ApiError> {
    list(&app, &caller, &uri.0, &query, Vocabulary::Alias).await
}

/// Same as `GET /api/orders`.
#[utoipa::path(
    get, path = "/api/orders/currentuser", tag = "aliases",
    params(("limit" = Option<i64>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = Vec<Order>), (status = 400, body = Problem)),
    security(("session" = []), ("bearer" = [])),
)]
#[deprecated = "alias of GET /api/orders"]
pub(super) async fn list_current_users_orders(
    State(app): State<Arc<App>>,
    SignedIn(caller): SignedIn,
    uri: OriginalUri,
    query: Query,
) -> Result<Response, ApiError> {
    list(&app, &caller, &uri.0, &query, Vocabulary::Alias).await
}

/// Reserves those of the tickets that can be had.
#[utoipa::path(
    post, path = "/api/orders/create", tag = "aliases", request_body = PlacePartial,
    responses(
        (status = 201, body = PartialOrder), (status = 400, body = Problem),
    ),
    security(("session" = []), ("bearer" = [])),
)]
#[deprecated = "alias of POST /api/orders that accepts partial success"]
pub(super) async fn place_partial_order(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    seed: EffectSeed,
    trace: TraceParent,
    JsonBody(mut fields): JsonBody,
) -> Result<(StatusCode, Json<PartialOrder>), ApiError> {
    if !fields.has("tickets") {
        fields.refuse("tickets", "Tickets are required");
    }
    let tickets = read_tickets(&mut fields, &["id", "ticketId"]);
    fields.finish()?;
    let caller = visitor.require()?;
    let wish = wish(caller.id, tickets.unwrap_or_default(), None, seed, trace);
    let Partial {
        order,
        unavailable,
        not_found,
    } = app.place_partial(wish).await?;
    let body = PartialOrder {
        order: Order::new(&order.state, order.version, Vocabulary::Alias),
        tickets: order.state.tickets.iter().map(OrderedTicket::from).collect(),
        unavailable_tickets: unavailable,
        tickets_not_found: not_found,
    };
    Ok((StatusCode::CREATED, Json(body)))
}

/// Same as `GET /api/orders/{id}`.
#[utoipa::path(
    get, path = "/api/orders/get-order/{id}", tag = "aliases", params(("id" = OrderId, Path)),
    responses((status = 200, body = Order), (status = 400, body = Problem), (status = 404, body = Problem)),
    security(("session" = []), ("bearer" = [])),
)]
#[deprecated = "alias of GET /api/orders/{id}"]
pub(super) async fn get_order_by_alias(
    State(app): State<Arc<App>>,
    SignedIn(caller): SignedIn,
    PathId(id): PathId<OrderId>,
) -> Result<Json<Order>, ApiError> {
    let order = own_order(&app, &caller, id).await?;
    Ok(Json(Order::new(&order.state, order.version, Vocabulary::Alias)))
}

/// Same as `DELETE /api/orders/{id}`; answers `true`.
#[utoipa::path(
    delete, path = "/api/orders/delete/{id}", tag = "aliases", params(("id" = OrderId, Path)),
    responses(
        (status = 200, body = bool), (status = 400, body = Problem),
        (status = 404, body = Problem),
    ),
    security(("session" = []), ("bearer" = [])),
)]
#[deprecated = "alias of DELETE /api/orders/{id}"]
pub(super) async fn cancel_order_by_alias(
    State(app): State<Arc<App>>,
    SignedIn(caller): SignedIn,
    PathId(id): PathId<OrderId>,
) -> Result<Json<bool>, ApiError> {
    cancel(&app, &caller, id).await.map(|_| Json(true))
}

/// Cancels an order, given `{"status": "cancelled"}`.
#[utoipa::path(
    put, path = "/api/orders/update/{id}", tag = "aliases", params(("id" = OrderId, Path)), request_body = UpdateOrder,
    responses(
        (status = 200, body = Order), (status = 400, body = Problem),
        (status = 404, body = Problem),
    ),
    security(("session" = []), ("bearer" = [])),
)]
#[deprecated = "alias of DELETE /api/orders/{id}"]
pub(super) async fn update_order(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    PathId(id): PathId<OrderId>,
    JsonBody(mut fields): JsonBody,
) -> Result<Json<Order>, ApiError> {
    if let Some(status) = fields.required_text("status", "Status", 1, 64)
        && status != "cancelled"
    {
        fields.refuse("status", "Status can only be set to cancelled");
    }
    fields.finish()?;
    let caller = visitor.require()?;
    let order = cancel(&app, &caller, id).await?;
    Ok(Json(Order::new(&order.state, order.version, Vocabulary::Alias)))
}
