//! The routes, on one screen.

mod aliases;
mod internal;
mod orders;
mod rejections;
mod wishes;

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
    title = "BigTix orders",
    description = "Reserve tickets, and see what became of the reservation."
))]
struct Document;

#[expect(deprecated, reason = "aliases are marked as deprecated in the API's document")]
fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(orders::place_order, orders::list_orders))
        .routes(routes!(aliases::list_all_orders))
        .routes(routes!(aliases::list_current_users_orders))
        .routes(routes!(aliases::place_partial_order))
        .routes(routes!(aliases::get_order_by_alias))
        .routes(routes!(orders::get_safe_details))
        .routes(routes!(aliases::cancel_order_by_alias))
        .routes(routes!(aliases::update_order))
        .routes(routes!(orders::get_order, orders::cancel_order))
}

/// What users reach.
pub(crate) fn router(app: Arc<App>) -> Router {
    routes().split_for_parts().0.with_state(app)
}

/// What other services reach.
pub(crate) fn internal_router(app: Arc<App>) -> Router {
    internal::router(app)
}

/// The REST API's description.
pub(crate) fn openapi() -> utoipa::openapi::OpenApi {
    complete(
        routes().split_for_parts().1,
        version_in(include_str!("../version.json")),
    )
}
