//! What Stripe tells.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use bigtix_contracts::Problem;
use bigtix_contracts::api::payments::WebhookReceived;
use bigtix_service::http::ApiError;
use bigtix_service::http::body::read_bytes;

use crate::app::App;

const SIGNATURE: &str = "stripe-signature";

/// Takes an event of Stripe's. It is stored before it is acknowledged, and looked into afterwards.
#[utoipa::path(
    post, path = "/api/webhooks/stripe", tag = "webhooks",
    request_body(content = Object, content_type = "application/json", description = "an event, as Stripe signs it"),
    params(("Stripe-Signature" = String, Header, description = "Stripe's signature over the raw body")),
    responses(
        (status = 200, body = WebhookReceived), (status = 400, body = Problem),
    ),
)]
pub(super) async fn receive(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<WebhookReceived>, ApiError> {
    let signature = request
        .headers()
        .get(SIGNATURE)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let body = read_bytes(request, &()).await?;
    app.take_webhook(signature.as_deref(), &body).await?;
    Ok(Json(WebhookReceived { received: true }))
}
