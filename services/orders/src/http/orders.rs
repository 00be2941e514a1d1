//! The canonical paths.

use std::sync::Arc;

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::http::StatusCode;
use axum::response::Response;
use bigtix_contracts::api::orders::{Order, SafeDetails, StatusWord, Vocabulary};
use bigtix_contracts::events::{OrderState, Versioned};
use bigtix_contracts::{ErrorCode, OrderId, Problem};
use bigtix_service::http::idempotency::EffectSeed;
use bigtix_service::http::observe::TraceParent;
use bigtix_service::http::{ApiError, Caller, Cursor, JsonBody, Page, PathId, Query, SignedIn};

use super::wishes::{Choice, PlaceOrder, Request, wish};
use crate::app::App;
use crate::domain::order::{Applied, Command};

/// Reserves tickets for the caller, all or nothing, for `reservationSeconds`.
#[utoipa::path(
    post, path = "/api/orders", tag = "orders", request_body = PlaceOrder,
    responses(
        (status = 201, body = Order), (status = 400, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem),
    ),
    security(("session" = []), ("bearer" = [])),
)]
pub(super) async fn place_order(
    State(app): State<Arc<App>>,
    SignedIn(caller): SignedIn,
    seed: EffectSeed,
    trace: TraceParent,
    JsonBody(fields): JsonBody,
) -> Result<(StatusCode, Json<Order>), ApiError> {
    let Request {
        choice,
        expected_total,
    } = Request::read(fields)?;
    let order = match choice {
        Choice::Tickets(tickets) => {
            app.place_order(wish(caller.id, tickets, expected_total, seed, trace))
                .await?
        }
        Choice::AnyOf { event, quantity } => {
            let wish = wish(caller.id, Vec::new(), expected_total, seed, trace);
            app.place_any(wish, &event, quantity).await?
        }
    };
    Ok((StatusCode::CREATED, Json(body(&order))))
}

/// The caller's orders, newest first.
#[utoipa::path(
    get, path = "/api/orders", tag = "orders",
    params(("limit" = Option<i64>, Query, description = "1 to 200, by default 50"), ("cursor" = Option<String>, Query, description = "from x-next-cursor")),
    responses((status = 200, body = Vec<Order>), (status = 400, body = Problem)),
    security(("session" = []), ("bearer" = [])),
)]
pub(super) async fn list_orders(
    State(app): State<Arc<App>>,
    SignedIn(caller): SignedIn,
    uri: OriginalUri,
    query: Query,
) -> Result<Response, ApiError> {
    list(&app, &caller, &uri.0, &query, Vocabulary::Canonical).await
}

/// A page of the caller's orders, in either vocabulary.
pub(super) async fn list(
    app: &App,
    caller: &Caller,
    uri: &axum::http::Uri,
    query: &Query,
    vocabulary: Vocabulary,
) -> Result<Response, ApiError> {
    let page = Page::read(query)?;
    let orders = app.find_orders_of(caller.id, &page).await?;
    let place = |order: &Versioned<OrderState>| Cursor {
        millis: order.state.created_at.as_millisecond(),
        id: order.state.id.bytes(),
    };
    Ok(page.answer(uri, orders, place, |order| {
        Order::new(&order.state, order.version, vocabulary)
    }))
}

/// One of the caller's orders.
#[utoipa::path(
    get, path = "/api/orders/{id}", tag = "orders", params(("id" = OrderId, Path)),
    responses((status = 200, body = Order), (status = 400, body = Problem), (status = 404, body = Problem)),
    security(("session" = []), ("bearer" = [])),
)]
pub(super) async fn get_order(
    State(app): State<Arc<App>>,
    SignedIn(caller): SignedIn,
    PathId(id): PathId<OrderId>,
) -> Result<Json<Order>, ApiError> {
    own_order(&app, &caller, id).await.map(|order| Json(body(&order)))
}

/// The one thing about an order that others may see.
#[utoipa::path(
    get, path = "/api/orders/get-order-safe-details/{id}", tag = "orders", params(("id" = OrderId, Path)),
    responses((status = 200, body = SafeDetails), (status = 400, body = Problem), (status = 404, body = Problem)),
    security(("session" = []), ("bearer" = [])),
)]
pub(super) async fn get_safe_details(
    State(app): State<Arc<App>>,
    _signed_in: SignedIn,
    PathId(id): PathId<OrderId>,
) -> Result<Json<SafeDetails>, ApiError> {
    let order = app.find_order(id).await?.ok_or_else(not_found)?.state;
    let status = StatusWord::of(order.status, order.reason, Vocabulary::Alias);
    Ok(Json(SafeDetails {
        id: order.id,
        status,
        expires_at: order.expires_at,
    }))
}

/// Gives an order up; its tickets are free at once.
#[utoipa::path(
    delete, path = "/api/orders/{id}", tag = "orders", params(("id" = OrderId, Path)),
    responses(
        (status = 204), (status = 400, body = Problem),
        (status = 404, body = Problem),
    ),
    security(("session" = []), ("bearer" = [])),
)]
pub(super) async fn cancel_order(
    State(app): State<Arc<App>>,
    SignedIn(caller): SignedIn,
    PathId(id): PathId<OrderId>,
) -> Result<StatusCode, ApiError> {
    cancel(&app, &caller, id).await.map(|_| StatusCode::NO_CONTENT)
}

/// Cancels one of the caller's orders.
pub(super) async fn cancel(
    app: &App,
    caller: &Caller,
    id: OrderId,
) -> Result<Versioned<OrderState>, ApiError> {
    own_order(app, caller, id).await?;
    match app
        .settle_order(id, Command::Cancel)
        .await?
        .ok_or_else(not_found)?
    {
        Applied::Done(order) => Ok(order),
        Applied::Refused(_) => Err(ApiError::rule(
            ErrorCode::OrderNotCancellable,
            "Order cannot be cancelled",
        )),
    }
}

/// The order, if it is the caller's.
pub(super) async fn own_order(
    app: &App,
    caller: &Caller,
    id: OrderId,
) -> Result<Versioned<OrderState>, ApiError> {
    let order = app.find_order(id).await?.ok_or_else(not_found)?;
    if order.state.user_id == caller.id {
        Ok(order)
    } else {
        Err(ApiError::not_authorized())
    }
}

fn not_found() -> ApiError {
    ApiError::not_found("Order not found")
}

fn body(order: &Versioned<OrderState>) -> Order {
    Order::new(&order.state, order.version, Vocabulary::Canonical)
}
