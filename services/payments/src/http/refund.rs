//! Refunds.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use bigtix_contracts::api::payments::Payment as Body;
use bigtix_contracts::{OrderId, PaymentId, Problem};
use bigtix_service::http::idempotency::EffectSeed;
use bigtix_service::http::{ApiError, JsonBody, PathId, SignedIn};
use serde::Deserialize;
use utoipa::ToSchema;

use super::payments::body;
use crate::app::{App, RefundWish};

/// What happens to the tickets.
#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body in the API's document")]
pub(super) struct RefundRequest {
    /// Whether they go back on sale; by default they do not.
    relist: Option<bool>,
}

/// Sends the money of a complete order back; for the seller of all of its tickets, and for administrators.
#[utoipa::path(
    post, path = "/api/payments/{orderId}/refund", tag = "payments", request_body = Option<RefundRequest>,
    params(
        ("orderId" = OrderId, Path),
    ),
    responses(
        (status = 201, body = Body), (status = 400, body = Problem), (status = 404, body = Problem),
    ),
    security(("session" = []), ("bearer" = [])),
)]
pub(super) async fn refund(
    State(app): State<Arc<App>>,
    SignedIn(caller): SignedIn,
    PathId(order): PathId<OrderId>,
    seed: EffectSeed,
    JsonBody(mut fields): JsonBody,
) -> Result<(StatusCode, Json<Body>), ApiError> {
    let relist = fields.boolean("relist", "Relist").unwrap_or(false);
    fields.finish()?;
    let wish = RefundWish {
        caller: caller.id,
        is_admin: caller.admin,
        order,
        relist,
        request: PaymentId::from_bytes(seed.id("refund", 0)),
    };
    Ok((StatusCode::CREATED, Json(body(&app.refund(wish).await?))))
}
