//! The four paths of users.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::AppendHeaders;
use bigtix_contracts::Problem;
use bigtix_contracts::api::auth::{CurrentUser, CurrentUserAnswer, User};
use bigtix_service::http::observe::TraceParent;
use bigtix_service::http::{ApiError, Fields, JsonBody, Visitor};
use serde::Serialize;
use tracing::Instrument;
use utoipa::ToSchema;

use super::cookies::{expired_cookie, session_cookie};
use super::edge::Client;
use crate::app::{App, Session};
use crate::domain::credentials::Email;

/// An address and a password.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "describes the body; fields are read one by one to give the contract's messages"
)]
pub(super) struct Credentials {
    /// Trimmed and lower-cased.
    #[schema(format = Email)]
    email: String,
    /// 8 to 64 characters with a digit, an upper-case and a lower-case letter, unless the shop asks for less.
    #[schema(format = Password)]
    password: String,
}

/// An empty object.
#[derive(Serialize, ToSchema)]
pub(super) struct Nothing {}

type SessionAnswer = (
    StatusCode,
    AppendHeaders<[(header::HeaderName, header::HeaderValue); 1]>,
    Json<User>,
);

/// Makes a user and signs in.
#[utoipa::path(
    post, path = "/api/users/signup", tag = "users", request_body = Credentials,
    responses(
        (status = 201, description = "The new user", body = User, headers(("set-cookie" = String, description = "The session"))),
        (status = 400, description = "A rule is broken, or the email is in use", body = Problem),
        (status = 429, description = "Too many requests from one address", body = Problem, headers(("retry-after" = i64, description = "Seconds"))),
    ),
)]
pub(super) async fn sign_up(
    State(app): State<Arc<App>>,
    client: Client,
    trace: TraceParent,
    JsonBody(mut fields): JsonBody,
) -> Result<SessionAnswer, ApiError> {
    let email = read_email(&mut fields);
    let password = read_password(&mut fields);
    for broken in password
        .iter()
        .flat_map(|password| app.rules.policy.broken_rules(password))
    {
        fields.refuse("password", broken);
    }
    let (email, password) = complete(fields, email, password)?;
    let session = app.sign_up(&email, password, trace.0).await?;
    Ok(answer(&app, client, StatusCode::CREATED, session))
}

/// Signs in.
#[utoipa::path(
    post, path = "/api/users/signin", tag = "users", request_body = Credentials,
    responses(
        (status = 200, description = "The user", body = User, headers(("set-cookie" = String, description = "The session"))),
        (status = 400, description = "Unknown email or wrong password, which is not said", body = Problem),
        (status = 429, description = "Too many failures, or requests from one address", body = Problem, headers(("retry-after" = i64, description = "Seconds"))),
    ),
)]
pub(super) async fn sign_in(
    State(app): State<Arc<App>>,
    client: Client,
    JsonBody(mut fields): JsonBody,
) -> Result<SessionAnswer, ApiError> {
    let email = read_email(&mut fields);
    let password = read_password(&mut fields);
    if password.as_deref() == Some("") {
        fields.refuse("password", "Password is required");
    }
    let (email, password) = complete(fields, email, password)?;
    // A caller who hangs up must not leave an attempt without an outcome behind.
    let attempt = tokio::spawn({
        let app = app.clone();
        async move { app.sign_in(&email, password, client.address).await }.in_current_span()
    });
    let session = attempt.await.map_err(ApiError::internal)??;
    Ok(answer(&app, client, StatusCode::OK, session))
}

/// Ends the session in this browser.
#[utoipa::path(
    post, path = "/api/users/signout", tag = "users",
    responses(
        (status = 200, description = "The cookie is expired", body = Nothing, headers(("set-cookie" = String, description = "Expires the session"))),
        (status = 429, description = "Too many requests from one address", body = Problem, headers(("retry-after" = i64, description = "Seconds"))),
    ),
)]
pub(super) async fn sign_out(client: Client, headers: HeaderMap) -> (HeaderMap, Json<Nothing>) {
    let mut answer = HeaderMap::new();
    answer.append(SET_COOKIE, expired_cookie("session", client.is_https));
    // The cookie of the systems replaced is read too, so it has to go as well.
    let cookies = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    if cookies
        .flat_map(|value| value.split(';'))
        .any(|pair| pair.trim().starts_with("express:sess="))
    {
        answer.append(SET_COOKIE, expired_cookie("express:sess", client.is_https));
    }
    (answer, Json(Nothing {}))
}

/// Who the session belongs to, from its token alone.
#[utoipa::path(
    get, path = "/api/users/currentuser", tag = "users",
    responses((status = 200, description = "The user, or null for a visitor", body = CurrentUserAnswer)),
)]
pub(super) async fn current_user(Visitor(caller): Visitor) -> Json<CurrentUserAnswer> {
    let current_user = caller.map(|caller| CurrentUser {
        id: caller.id,
        email: caller.email,
        iat: caller.iat,
    });
    Json(CurrentUserAnswer { current_user })
}

fn read_email(fields: &mut Fields) -> Option<Email> {
    if !fields.has("email") {
        fields.refuse("email", "Email must be valid");
    }
    let text = fields.string("email", "Email")?;
    match text.parse() {
        Ok(email) => Some(email),
        Err(why) => {
            fields.refuse("email", crate::domain::credentials::InvalidEmail::to_string(&why));
            None
        }
    }
}

fn read_password(fields: &mut Fields) -> Option<String> {
    if !fields.has("password") {
        fields.refuse("password", "Password is required");
    }
    fields.string("password", "Password")
}

fn complete(
    fields: Fields,
    email: Option<Email>,
    password: Option<String>,
) -> Result<(Email, String), ApiError> {
    fields.finish()?;
    email
        .zip(password)
        .ok_or_else(|| ApiError::internal("a field without a value broke no rule"))
}

fn answer(app: &App, client: Client, status: StatusCode, session: Session) -> SessionAnswer {
    let cookie = session_cookie(&session.token, app.rules.session_lifetime, client.is_https);
    (
        status,
        AppendHeaders([(SET_COOKIE, cookie)]),
        Json(User {
            id: session.id,
            email: session.email,
        }),
    )
}
