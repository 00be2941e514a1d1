//! The pages, one module each: what is asked of the API, and what the template is given.

pub(crate) mod account;
pub(crate) mod cart;
pub(crate) mod discovery;
pub(crate) mod docs;
pub(crate) mod edit;
pub(crate) mod event;
pub(crate) mod home;
pub(crate) mod listings;
pub(crate) mod order;
pub(crate) mod orders;
pub(crate) mod reserve;
pub(crate) mod sell;
mod states;
pub(crate) mod ticket;
pub(crate) mod watch;

use std::str::FromStr;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use bigtix_contracts::api::tickets::{Event, EventSummary};

use crate::failure::{Failure, Sought};
use crate::view::time::{When, when};

/// The one id in a page's path; what is none leads to no page.
pub(crate) struct Id<T>(pub(crate) T);

impl<T: FromStr, S: Send + Sync> FromRequestParts<S> for Id<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let nowhere = || Failure::NotFound(Sought::Page);
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| nowhere())?;
        text.parse().map(Self).map_err(|_| nowhere())
    }
}

/// The parameters of a page's address; of one that is repeated the last counts.
pub(crate) struct Query(std::collections::BTreeMap<String, String>);

impl Query {
    /// The parameter without white space around it; empty when it is not there.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", |value| value.trim())
    }

    /// A parameter that is there and says something.
    pub(crate) fn given(&self, name: &str) -> Option<&str> {
        Some(self.get(name)).filter(|value| !value.is_empty())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let query = parts.uri.query().unwrap_or_default();
        Ok(Self(
            url::form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
        ))
    }
}

/// An event as other pages mention it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Occasion {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) when: When,
    pub(crate) place: String,
}

impl From<&EventSummary> for Occasion {
    fn from(event: &EventSummary) -> Self {
        let EventSummary {
            id,
            title,
            venue,
            city,
            starts_at,
            time_zone,
        } = event;
        Self {
            id: id.to_string(),
            title: title.clone(),
            when: when(*starts_at, time_zone),
            place: format!("{venue}, {city}"),
        }
    }
}

impl From<&Event> for Occasion {
    fn from(event: &Event) -> Self {
        Self {
            id: event.id.to_string(),
            title: event.title.clone(),
            when: when(event.starts_at, &event.time_zone),
            place: format!("{}, {}", event.venue, event.city),
        }
    }
}

/// 303: what was sent is done, and here is where to look.
pub(crate) fn go(path: &str) -> Response {
    Redirect::to(path).into_response()
}
