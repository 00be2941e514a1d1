//! What surrounds every page: its head, the menu, the footer.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::assets;
use crate::session::{Identity, Visitor};
use crate::site::Site;

const NAME: &str = "BigTix";

/// Which entries the menu has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Menu {
    SignedOut,
    SignedIn,
    /// Nobody knows; entries that are right for everybody.
    Neutral,
}

/// The page around a page's content.
#[derive(Debug, Clone)]
pub(crate) struct Shell {
    pub(crate) title: String,
    pub(crate) description: String,
    /// In full; only of pages that are to be found.
    pub(crate) canonical: Option<String>,
    /// What a link's preview shows.
    pub(crate) image: Option<String>,
    /// The text of a JSON-LD script.
    pub(crate) structured: Option<String>,
    /// Seconds after which a browser without scripts loads the page again.
    pub(crate) refresh: Option<u32>,
    pub(crate) menu: Menu,
    pub(crate) cart: usize,
    /// The path, to mark the menu's entry.
    pub(crate) here: String,
    /// What was searched for.
    pub(crate) query: String,
    pub(crate) test_cards: bool,
}

impl Shell {
    /// Around a page that is found by nobody and shows nobody's name.
    pub(crate) fn plain(site: &Site, title: &str) -> Self {
        Self {
            title: format!("{title} – {NAME}"),
            description: String::new(),
            canonical: None,
            image: None,
            structured: None,
            refresh: None,
            menu: Menu::Neutral,
            cart: 0,
            here: String::new(),
            query: String::new(),
            test_cards: site.test_cards,
        }
    }

    /// Around a page for this visitor, which search engines leave out.
    pub(crate) fn private(site: &Site, visitor: &Visitor, title: &str) -> Self {
        Self {
            menu: match &visitor.identity {
                Identity::Anonymous => Menu::SignedOut,
                Identity::User(_) => Menu::SignedIn,
                Identity::Unknown => Menu::Neutral,
            },
            cart: visitor.cart.ids().len(),
            here: visitor
                .here
                .as_str()
                .split('?')
                .next()
                .unwrap_or_default()
                .to_owned(),
            ..Self::plain(site, title)
        }
    }

    /// Around a page that is to be found under this path.
    pub(crate) fn public(site: &Site, visitor: &Visitor, title: &str, path: &str, description: &str) -> Self {
        Self {
            canonical: Some(site.absolute(path)),
            description: description.chars().take(300).collect(),
            ..Self::private(site, visitor, title)
        }
    }

    /// Says in the title that the form has errors.
    #[must_use]
    pub(crate) fn with_errors(mut self) -> Self {
        self.title = format!("Error: {}", self.title);
        self
    }

    pub(crate) fn asset(&self, name: &str) -> String {
        assets::url(name)
    }

    /// The attribute of a menu's entry that leads to this page.
    pub(crate) fn current(&self, path: &str) -> &'static str {
        if self.here == path {
            " aria-current=\"page\""
        } else {
            ""
        }
    }
}

/// The page as an answer.
pub(crate) fn html(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => {
            let kind = HeaderValue::from_static("text/html; charset=utf-8");
            (status, [(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A page that anybody may see: asked for again each time, and kept meanwhile for the way back.
pub(crate) fn public_html(status: StatusCode, page: &impl Template) -> Response {
    let mut response = html(status, page);
    let headers = response.headers_mut();
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-cache"),
    );
    headers.insert(header::VARY, HeaderValue::from_static("Cookie"));
    response
}
