//! The API's documents where there is no edge to serve them: behind an Ingress.

use std::sync::Arc;

use askama::Template;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bigtix_client::Api;
use bigtix_service::http::ApiError;
use serde_json::Value;

use crate::App;
use crate::session::Visitor;
use crate::shell::{Shell, public_html};

#[derive(Template)]
#[template(path = "docs.html")]
struct DocsPage {
    shell: Shell,
    apis: [Api; 4],
}

/// `GET /api/docs`.
pub(crate) async fn show(State(app): State<Arc<App>>, visitor: Visitor) -> Response {
    let description = "The REST API of this shop, as OpenAPI documents.";
    let page = DocsPage {
        shell: Shell::public(&app.site, &visitor, "API", "/api/docs", description),
        apis: Api::ALL,
    };
    public_html(StatusCode::OK, &page)
}

/// `GET /api/docs/{name}.json`.
pub(crate) async fn document(
    State(app): State<Arc<App>>,
    Path(file): Path<String>,
) -> Result<Json<Value>, Response> {
    let name = file.strip_suffix(".json");
    let api = Api::ALL.into_iter().find(|api| Some(api.as_str()) == name);
    let api = api.ok_or_else(|| ApiError::not_found("Not found").into_response())?;
    match app.api.openapi(api).await {
        Ok(document) => Ok(Json(document)),
        Err(error) => {
            let away = ApiError::unavailable("The service cannot be reached").caused_by(error);
            Err(away.into_response())
        }
    }
}
