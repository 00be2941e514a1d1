//! What browsers send: fields, what is wrong with them, and where to go afterwards.

use std::fmt;
use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header;
use bigtix_contracts::Problem;
use serde::Serialize;
use sha2::{Digest, Sha256};
use url::form_urlencoded;

use crate::App;
use crate::failure::Failure;

/// The largest form, in bytes: a description of 2,000 characters fits many times over.
const LIMIT: usize = 64 * 1024;

/// A form's fields as they were sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    fn parse(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    /// The form with one more field.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The field's text, without white space around it; empty when there is none.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// The field's text as it was typed.
    pub(crate) fn raw(&self, name: &str) -> &str {
        self.0
            .iter()
            .find(|(field, _)| field == name)
            .map_or("", |(_, value)| value)
    }

    /// Every value of a field that may be repeated.
    pub(crate) fn all<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> {
        self.0
            .iter()
            .filter(move |(field, _)| field == name)
            .map(|(_, value)| value.trim())
    }

    /// The idempotency key of what the form wishes: the same wish has its effect once however often the form is sent,
    /// and another wish, after a way back in the browser, is another one.
    pub(crate) fn key_for(&self, wish: &impl Serialize) -> String {
        let wish = serde_json::to_vec(wish).expect("a wish is plain data");
        let digest: String = Sha256::digest(wish)
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!("{}-{digest}", self.key())
    }

    /// The key that the form was rendered with; a new one for a form that was made by hand.
    fn key(&self) -> String {
        let key = self.get("key");
        let is_good = (1..=200).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
        if is_good { key.to_owned() } else { new_key() }
    }

    /// The fields, to be sent once more.
    pub(crate) fn into_fields(self) -> Vec<(String, String)> {
        self.0
    }
}

impl FromRequest<Arc<App>> for Form {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &Arc<App>) -> Result<Self, Failure> {
        let is_form = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_none_or(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        if !is_form {
            return Err(Failure::NotAForm);
        }
        let body = to_bytes(request.into_body(), LIMIT).await;
        body.map(|body| Self::parse(&body)).map_err(|_| Failure::TooLarge)
    }
}

/// A key under which a form has its effect once, however often it is sent.
pub(crate) fn new_key() -> String {
    format!("{:032x}", rand::random::<u128>())
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldError {
    /// The field that it is about, by the id that it has in the page.
    pub(crate) field: Option<String>,
    pub(crate) message: String,
}

/// Everything that is wrong with a form, in the order in which it is said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Errors(Vec<FieldError>);

impl Errors {
    /// One thing, about no field.
    pub(crate) fn general(message: impl Into<String>) -> Self {
        let mut errors = Self::default();
        errors.add(None, message);
        errors
    }

    pub(crate) fn add(&mut self, field: Option<&str>, message: impl Into<String>) {
        self.0.push(FieldError {
            field: field.map(str::to_owned),
            message: message.into(),
        });
    }

    /// Adds what another part of the form has found.
    pub(crate) fn extend(&mut self, others: &Self) {
        self.0.extend_from_slice(&others.0);
    }

    /// What the API says, each about the page's field that `field` names for the API's one.
    pub(crate) fn from_problem(problem: &Problem, field: impl Fn(&str) -> Option<&'static str>) -> Self {
        let errors = problem.errors.iter().map(|error| FieldError {
            field: error.field.as_deref().and_then(&field).map(str::to_owned),
            message: error.message.clone(),
        });
        Self(errors.collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &FieldError> {
        self.0.iter()
    }

    /// What is wrong with one field.
    pub(crate) fn of(&self, field: &str) -> Vec<&str> {
        let own = self
            .0
            .iter()
            .filter(|error| error.field.as_deref() == Some(field));
        own.map(|error| error.message.as_str()).collect()
    }
}

/// A path within this shop, with its query: the only places that a redirect leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LocalPath(String);

impl LocalPath {
    /// The path, or the start page where the text could lead elsewhere. A browser takes a backslash for a slash and
    /// leaves tabs and line breaks out.
    pub(crate) fn read(text: &str) -> Self {
        let is_local = text.starts_with('/')
            && !text.starts_with("//")
            && text.len() <= 1000
            && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        Self(if is_local { text.to_owned() } else { "/".to_owned() })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Where one signs in and comes back from.
    pub(crate) fn sign_in(&self) -> String {
        self.by_way_of("/auth/signin")
    }

    /// A page that leads back here.
    pub(crate) fn by_way_of(&self, page: &str) -> String {
        if self.0 == "/" {
            return page.to_owned();
        }
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("next", &self.0)
            .finish();
        format!("{page}?{query}")
    }
}

impl fmt::Display for LocalPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_redirect_never_leaves_the_shop() {
        for elsewhere in [
            "",
            "evil.test",
            "//evil.test",
            "/\\evil.test",
            "\\\\evil.test",
            "https://evil.test/",
            "javascript:alert(1)",
            "/\t/evil.test",
            "/\n/evil.test",
            " //evil.test",
            "/é",
        ] {
            assert_eq!(LocalPath::read(elsewhere).as_str(), "/", "{elsewhere:?}");
        }
        for local in ["/", "/orders", "/events/1?quantity=2&x=%2F", "/?q=a+b"] {
            assert_eq!(LocalPath::read(local).as_str(), local);
        }
    }

    #[test]
    fn the_way_back_is_one_parameter() {
        let path = LocalPath::read("/events/1?quantity=2&a=b");
        assert_eq!(
            path.sign_in(),
            "/auth/signin?next=%2Fevents%2F1%3Fquantity%3D2%26a%3Db"
        );
        assert_eq!(LocalPath::read("/").sign_in(), "/auth/signin");
    }

    #[test]
    fn fields_are_read_as_browsers_write_them() {
        let form = Form::parse(b"a=+x%26y+&t=1&t=2&key=k1&key=k2");
        assert_eq!(
            (form.get("a"), form.raw("a"), form.get("b")),
            ("x&y", " x&y ", "")
        );
        assert_eq!(form.all("t").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(form.key(), "k1");
        assert_eq!(Form::parse(b"key=%00").key().len(), 32);
    }

    #[test]
    fn the_same_wish_has_the_same_key_and_another_one_another() {
        let form = Form::parse(b"key=k1");
        assert_eq!(form.key_for(&("event", 2)), form.key_for(&("event", 2)));
        assert_ne!(form.key_for(&("event", 2)), form.key_for(&("event", 3)));
        let other = Form::parse(b"key=k2");
        assert_ne!(form.key_for(&("event", 2)), other.key_for(&("event", 2)));
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(body: Vec<u8>) {
            let form = Form::parse(&body);
            prop_assert!(!form.key().is_empty());
        }

        #[test]
        fn whatever_is_local_begins_with_one_slash(text in "\\PC*") {
            let path = LocalPath::read(&text);
            prop_assert!(path.as_str().starts_with('/') && !path.as_str().starts_with("//"));
        }
    }
}
