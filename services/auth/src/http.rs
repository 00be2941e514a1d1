//! The routes, on one screen.

mod cookies;
mod edge;
mod rejections;
mod users;

use std::sync::Arc;

use axum::{Extension, Router, middleware};
use bigtix_service::http::description::complete;
use bigtix_service::rate::RateLimit;
use bigtix_service::version_in;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

pub(crate) use edge::Edge;

#[derive(OpenApi)]
#[openapi(info(
    title = "BigTix auth",
    description = "Sign up, sign in, and who is signed in."
))]
struct Document;

fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(users::sign_up))
        .routes(routes!(users::sign_in))
        .routes(routes!(users::sign_out))
        .routes(routes!(users::current_user))
}

/// What users reach.
pub(crate) fn router(app: Arc<App>, edge: Edge, requests: RateLimit) -> Router {
    let sessions = app.sessions.clone();
    routes()
        .split_for_parts()
        .0
        .with_state(app)
        .layer(middleware::from_fn_with_state(requests, edge::limit_requests))
        .layer(Extension(edge))
        .layer(Extension(sessions))
}

/// The REST API's description.
pub(crate) fn openapi() -> utoipa::openapi::OpenApi {
    complete(
        routes().split_for_parts().1,
        version_in(include_str!("../version.json")),
    )
}
