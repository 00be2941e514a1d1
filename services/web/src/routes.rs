//! The routes, on one screen.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, header};
use axum::middleware;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{any, get};
use bigtix_service::http::ApiError;
use tower_http::compression::CompressionLayer;

use crate::App;
use crate::assets;
use crate::failure::{Failure, Sought};
use crate::pages::{
    account, cart, discovery, docs, edit, event, home, listings, order, orders, sell, ticket, watch,
};
use crate::security::{guard, wrong_method};

/// The largest body that any page takes, in bytes; forms have a limit of their own.
const BODY_LIMIT: usize = 128 * 1024;

/// Everything that a browser can ask for.
pub(crate) fn router(app: Arc<App>) -> Router {
    // Pages that say the same to everybody: nothing of theirs is a secret that its compressed size could tell.
    let public = Router::new()
        .route("/", get(home::show))
        .route("/events/{id}", get(event::show).post(event::send))
        .route("/tickets/{id}", get(ticket::show).post(ticket::send))
        .route("/robots.txt", get(discovery::robots))
        .route("/sitemap.xml", get(discovery::sitemap))
        .route("/favicon.ico", get(assets::favicon))
        .route("/assets/{digest}/{*path}", get(assets::asset))
        .route("/art/{name}", get(assets::art))
        .layer(CompressionLayer::new());
    let pages = Router::new()
        .route("/events/{id}/availability", get(watch::availability))
        .route("/events/{id}/live", get(watch::live))
        .route("/tickets/new", get(sell::show).post(sell::send))
        .route("/tickets/mine", get(listings::show))
        .route("/tickets/{id}/edit", get(edit::show).post(edit::send))
        .route("/cart", get(cart::show).post(cart::send))
        .route("/orders", get(orders::show))
        .route("/orders/{id}", get(order::show).post(order::send))
        .route("/orders/{id}/state", get(watch::order_state))
        .route("/orders/{id}/calendar.ics", get(order::calendar))
        .route("/auth/signup", get(account::sign_up_form).post(account::sign_up))
        .route("/auth/signin", get(account::sign_in_form).post(account::sign_in))
        .route("/auth/signout", get(account::sign_out_form).post(account::sign_out))
        .route("/docs", get(async || Redirect::permanent("/api/docs")))
        .route("/events", get(async || Redirect::permanent("/")))
        .route("/tickets", get(async || Redirect::permanent("/")))
        .route("/api/docs", get(docs::show))
        .route("/api/docs/{file}", get(docs::document))
        .route("/api", any(unknown_call))
        .route("/api/{*rest}", any(unknown_call))
        // A route and no fallback: the kit has one of its own, which speaks JSON.
        .route("/{*rest}", any(unknown_path));
    public
        .merge(pages)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn_with_state(app.clone(), guard))
        .with_state(app)
}

/// What no service answers comes here, and whoever asked for the API is answered as the API answers.
async fn unknown_call() -> ApiError {
    ApiError::not_found("Not found")
}

/// People get a page, and programs that send or want JSON get a problem.
async fn unknown_path(headers: HeaderMap) -> Response {
    let says_json = |name| {
        let text = headers.get(name).and_then(|value| value.to_str().ok());
        text.is_some_and(|text| text.contains("application/json") && !text.contains("text/html"))
    };
    if says_json(header::CONTENT_TYPE) || says_json(header::ACCEPT) {
        return unknown_call().await.into_response();
    }
    Failure::NotFound(Sought::Page).into_response()
}
