//! The routes, on one screen.

mod payments;
mod refund;
mod rejections;
mod requests;
mod webhook;

use std::sync::Arc;

use axum::Router;
use bigtix_service::http::description::complete;
use bigtix_service::version_in;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

#[derive(OpenApi)]
#[openapi(info(
    title = "BigTix payments",
    description = "Pay for an order, see how the payment stands, send the money back."
))]
struct Document;

#[expect(deprecated, reason = "aliases are marked as deprecated in the API's document")]
fn payment_routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(payments::pay))
        .routes(routes!(payments::pay_by_alias))
        .routes(routes!(payments::get_payment))
        .routes(routes!(payments::continue_payment))
        .routes(routes!(refund::refund))
}

fn webhook_routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(webhook::receive))
}

/// What users reach.
pub(crate) fn payments(app: Arc<App>) -> Router {
    payment_routes().split_for_parts().0.with_state(app)
}

/// What Stripe reaches.
pub(crate) fn webhooks(app: Arc<App>) -> Router {
    webhook_routes().split_for_parts().0.with_state(app)
}

/// The REST API's description.
pub(crate) fn openapi() -> utoipa::openapi::OpenApi {
    let document = payment_routes().merge(webhook_routes()).split_for_parts().1;
    complete(document, version_in(include_str!("../version.json")))
}
