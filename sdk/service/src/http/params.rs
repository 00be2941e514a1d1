//! Reading paths and queries.

use std::collections::BTreeMap;
use std::str::FromStr;

use axum::extract::{FromRequestParts, Path, RawPathParams};
use axum::http::request::Parts;

use super::ApiError;

/// The one id in the path. A malformed one is 400 "ID is invalid", field `id`.
pub struct PathId<T>(pub T);

impl<T: FromStr, S: Send + Sync> FromRequestParts<S> for PathId<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let params = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|_| ApiError::invalid("id", "ID is invalid"))?;
        let (_, text) = params.iter().next().unwrap_or(("id", ""));
        text.parse()
            .map(Self)
            .map_err(|_| ApiError::invalid("id", "ID is invalid"))
    }
}

/// The one text in the path, percent-decoded.
pub struct PathText(pub String);

impl<S: Send + Sync> FromRequestParts<S> for PathText {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| ApiError::not_found("Not found"))?;
        Ok(Self(text))
    }
}

/// The query's parameters; of one that is repeated, the last counts.
#[derive(Debug, Default)]
pub struct Query(BTreeMap<String, String>);

impl Query {
    /// The parameter, when it is there and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let pairs =
            axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&parts.uri).map_err(|_| {
                ApiError::validation(vec![bigtix_contracts::ErrorItem {
                    message: "The query is malformed".into(),
                    field: None,
                }])
            })?;
        Ok(Self(pairs.0.into_iter().collect()))
    }
}
