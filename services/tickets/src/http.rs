//! The routes, on one screen.

mod aliases;
mod answers;
mod bodies;
mod changes;
mod events;
mod internal;
mod lists;
mod rejections;
mod tickets;

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
    title = "BigTix tickets",
    description = "What is on sale, and the catalogue of events."
))]
struct Document;

#[expect(deprecated, reason = "aliases are marked as deprecated in the API's document")]
fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(
            lists::list_tickets,
            tickets::create_tickets,
            aliases::replace_ticket_named_in_body
        ))
        .routes(routes!(
            tickets::get_ticket,
            changes::replace_ticket,
            changes::patch_ticket,
            changes::withdraw_ticket
        ))
        .routes(routes!(tickets::get_ticket_by_serial_number))
        .routes(routes!(lists::list_event_tickets))
        .routes(routes!(lists::list_free_event_tickets))
        .routes(routes!(lists::list_free_imported_event_tickets))
        .routes(routes!(lists::list_user_tickets))
        .routes(routes!(lists::list_own_tickets))
        .routes(routes!(aliases::list_all_tickets))
        .routes(routes!(aliases::get_ticket_by_alias))
        .routes(routes!(aliases::create_ticket_by_alias))
        .routes(routes!(aliases::create_many_tickets))
        .routes(routes!(aliases::update_ticket))
        .routes(routes!(events::list_events, events::add_event))
        .routes(routes!(events::get_event))
        .routes(routes!(events::search_events))
        .routes(routes!(events::import_event))
        .routes(routes!(events::get_event_details))
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
