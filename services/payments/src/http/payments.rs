//! Paying.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use bigtix_contracts::api::payments::{NewPayment, Payment as Body};
use bigtix_contracts::{Dollars, OrderId, Problem};
use bigtix_service::http::idempotency::EffectSeed;
use bigtix_service::http::observe::TraceParent;
use bigtix_service::http::{ApiError, JsonBody, PathId, SignedIn, Visitor};

use super::requests::{Pay, PayNew, Request};
use crate::app::App;
use crate::domain::Payment;

/// Pays for an order of the caller's. Answers when the order is complete, or when the buyer's bank wants to ask.
#[utoipa::path(
    post, path = "/api/payments", tag = "payments", request_body = Pay,
    responses(
        (status = 201, body = Body), (status = 400, body = Problem),
        (status = 402, body = Problem, description = "The card was declined; the order can be paid until it expires"), (status = 404, body = Problem),
        (status = 503, body = Problem, description = "The outcome is not known yet; it is settled by itself"),
    ),
    security(("session" = []), ("bearer" = [])),
)]
pub(super) async fn pay(
    State(app): State<Arc<App>>,
    SignedIn(caller): SignedIn,
    seed: EffectSeed,
    trace: TraceParent,
    JsonBody(fields): JsonBody,
) -> Result<(StatusCode, Json<Body>), ApiError> {
    let wish = Request::read(fields)?.wish(caller.id, seed, trace);
    Ok((StatusCode::CREATED, Json(body(&app.pay(wish).await?))))
}

/// Pays for an order of the caller's, if it costs what the caller says.
#[utoipa::path(
    post, path = "/api/payments/new", tag = "aliases", request_body = PayNew,
    responses(
        (status = 201, body = NewPayment), (status = 400, body = Problem),
        (status = 402, body = Problem), (status = 404, body = Problem),
    ),
    security(("session" = []), ("bearer" = [])),
)]
#[deprecated = "alias of POST /api/payments"]
pub(super) async fn pay_by_alias(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    seed: EffectSeed,
    trace: TraceParent,
    JsonBody(fields): JsonBody,
) -> Result<(StatusCode, Json<NewPayment>), ApiError> {
    let request = Request::read_alias(fields)?;
    let caller = visitor.require()?;
    let payment = app.pay(request.wish(caller.id, seed, trace)).await?;
    let answer = NewPayment {
        status: payment.status(),
        client_secret: payment.client_secret,
    };
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Goes on with a payment after the buyer's bank has answered.
#[utoipa::path(
    post, path = "/api/payments/{orderId}/continue", tag = "payments",
    params(
        ("orderId" = OrderId, Path),
    ),
    responses(
        (status = 201, body = Body), (status = 400, body = Problem),
        (status = 402, body = Problem), (status = 404, body = Problem),
    ),
    security(("session" = []), ("bearer" = [])),
)]
pub(super) async fn continue_payment(
    State(app): State<Arc<App>>,
    SignedIn(caller): SignedIn,
    PathId(order): PathId<OrderId>,
) -> Result<(StatusCode, Json<Body>), ApiError> {
    Ok((
        StatusCode::CREATED,
        Json(body(&app.continue_payment(order, caller.id).await?)),
    ))
}

/// The latest payment for an order of the caller's.
#[utoipa::path(
    get, path = "/api/payments/{orderId}", tag = "payments", params(("orderId" = OrderId, Path)),
    responses(
        (status = 200, body = Body), (status = 400, body = Problem),
        (status = 404, body = Problem),
    ),
    security(("session" = []), ("bearer" = [])),
)]
pub(super) async fn get_payment(
    State(app): State<Arc<App>>,
    SignedIn(caller): SignedIn,
    PathId(order): PathId<OrderId>,
) -> Result<Json<Body>, ApiError> {
    Ok(Json(body(&app.latest_payment(order, caller.id).await?)))
}

/// The body for `payment`.
pub(super) fn body(payment: &Payment) -> Body {
    let status = payment.status();
    Body {
        id: payment.id,
        order_id: payment.order_id,
        stripe_id: payment.intent.as_ref().map(|id| id.0.clone()),
        amount: Dollars(payment.amount),
        status,
        client_secret: payment.client_secret.clone(),
        success: status == bigtix_contracts::events::PaymentStatus::Succeeded,
        created_at: payment.created_at,
        version: payment.version,
    }
}
