//! Why there is no page to show, and the page that says so.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use bigtix_client::ClientError;

use crate::forms::{Form, LocalPath};
use crate::shell::{Shell, html};
use crate::site::Site;

/// What somebody looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sought {
    Page,
    Event,
    Ticket,
    Order,
}

/// Why there is no answer. As a response it is a note to the middleware around all pages, which makes the page of it.
#[derive(Debug, Clone)]
pub(crate) enum Failure {
    /// Only for people who are signed in, who are sent back afterwards.
    SignIn {
        back: LocalPath,
    },
    /// There is no such thing, or it is none of the visitor's business.
    NotFound(Sought),
    /// A service is away.
    Away,
    /// A form was sent and nobody knows what came of it; sending it again does no harm.
    Again {
        path: LocalPath,
        fields: Vec<(String, String)>,
    },
    /// Too many requests of this visitor's kind.
    Busy,
    /// A form of another site.
    ForeignOrigin,
    WrongMethod,
    NotAForm,
    TooLarge,
    /// A fault of ours.
    Broken,
}

#[derive(Template)]
#[template(path = "failure.html")]
struct FailurePage<'a> {
    shell: Shell,
    heading: &'a str,
    text: &'a str,
    offers_search: bool,
    path: Option<&'a LocalPath>,
    fields: &'a [(String, String)],
}

impl Failure {
    /// What it means that a thing of this kind could not be read.
    pub(crate) fn reading(error: &ClientError, what: Sought) -> Self {
        match error.status() {
            // Whether somebody else's thing exists is not told.
            Some(400 | 401 | 403 | 404) => Self::NotFound(what),
            Some(429) => Self::Busy,
            None | Some(502..=504) => {
                tracing::warn!(%error, ?what, "a service is away");
                Self::Away
            }
            Some(_) => {
                tracing::error!(%error, ?what, "a service answered what it does not promise");
                Self::Broken
            }
        }
    }

    /// What it means that a form had no effect that is known, when the API did not refuse it in words for people.
    pub(crate) fn sending(error: &ClientError, path: &LocalPath, form: Form) -> Self {
        match error.status() {
            Some(429) => Self::Busy,
            None | Some(500..=504) => {
                tracing::warn!(%error, "the outcome of a form is unknown");
                Self::Again {
                    path: path.clone(),
                    fields: form.into_fields(),
                }
            }
            Some(401) => Self::SignIn { back: path.clone() },
            Some(_) => {
                tracing::error!(%error, "a form was refused without words for people");
                Self::Broken
            }
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::SignIn { .. } => StatusCode::SEE_OTHER,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Away | Self::Again { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Busy => StatusCode::TOO_MANY_REQUESTS,
            Self::ForeignOrigin => StatusCode::FORBIDDEN,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAForm => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Broken => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn words(&self) -> (&'static str, &'static str) {
        match self {
            Self::SignIn { .. } => ("Sign in", "This page is for people who are signed in."),
            Self::NotFound(Sought::Event) => (
                "Event not found",
                "There is no such event. It may never have existed.",
            ),
            Self::NotFound(Sought::Ticket) => ("Ticket not found", "There is no such ticket."),
            Self::NotFound(Sought::Order) => ("Order not found", "You have no such order."),
            Self::NotFound(Sought::Page) => ("Page not found", "There is nothing at this address."),
            Self::Away => (
                "We will be back in a moment",
                "Part of the shop is away. Nothing of yours is lost. Load this page again in a few seconds.",
            ),
            Self::Again { .. } => (
                "We do not know yet whether that worked",
                "The shop did not answer in time. Send it again: it takes effect once, however often it is sent.",
            ),
            Self::Busy => (
                "Too many attempts",
                "Wait a few minutes and try again. Nothing has been done.",
            ),
            Self::ForeignOrigin => (
                "This form came from another site",
                "Nothing has been done. Open the page here and try again.",
            ),
            Self::WrongMethod => ("That does not work here", "This page takes no such request."),
            Self::NotAForm => ("That is no form", "This page takes forms as browsers send them."),
            Self::TooLarge => ("That is too much", "The form is larger than this page takes."),
            Self::Broken => (
                "Something went wrong on our side",
                "It has been noted. Try again; if it keeps happening, tell the shop.",
            ),
        }
    }

    /// The page.
    pub(crate) fn page(&self, site: &Site) -> Response {
        let status = self.status();
        if let Self::SignIn { back } = self {
            return Redirect::to(&back.sign_in()).into_response();
        }
        let (heading, text) = self.words();
        let (path, fields): (_, &[_]) = match self {
            Self::Again { path, fields } => (Some(path), fields),
            _ => (None, &[]),
        };
        let page = FailurePage {
            shell: Shell::plain(site, heading),
            heading,
            text,
            offers_search: matches!(self, Self::NotFound(_)),
            path,
            fields,
        };
        let mut response = html(status, &page);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
        }
        response
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}
