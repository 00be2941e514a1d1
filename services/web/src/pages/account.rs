//! Sign up, sign in, sign out.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::cookie::{Cookie, SameSite};
use bigtix_client::{ClientError, Session};
use bigtix_contracts::ErrorCode;

use super::{Query, go};
use crate::App;
use crate::failure::Failure;
use crate::forms::{Errors, Form, LocalPath};
use crate::session::{COOKIES, Visitor};
use crate::shell::{Shell, html};

/// Which of the two forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    SignUp,
    SignIn,
}

#[derive(Template)]
#[template(path = "signin.html")]
struct AccountPage<'a> {
    shell: Shell,
    errors: Errors,
    is_new: bool,
    signed_in_as: Option<&'a str>,
    email: &'a str,
    hint: &'a str,
    next: &'a LocalPath,
    /// Where the other form is, with the same way back.
    other: String,
}

#[derive(Template)]
#[template(path = "signout.html")]
struct SignOutPage<'a> {
    shell: Shell,
    signed_in_as: Option<&'a str>,
}

/// `GET /auth/signup`.
pub(crate) async fn sign_up_form(State(app): State<Arc<App>>, visitor: Visitor, query: Query) -> Response {
    let next = LocalPath::read(query.get("next"));
    form_page(
        &app,
        &visitor,
        Purpose::SignUp,
        &next,
        "",
        (StatusCode::OK, Errors::default()),
    )
}

/// `GET /auth/signin`.
pub(crate) async fn sign_in_form(State(app): State<Arc<App>>, visitor: Visitor, query: Query) -> Response {
    let next = LocalPath::read(query.get("next"));
    form_page(
        &app,
        &visitor,
        Purpose::SignIn,
        &next,
        "",
        (StatusCode::OK, Errors::default()),
    )
}

/// `POST /auth/signup`.
pub(crate) async fn sign_up(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    form: Form,
) -> Result<Response, Failure> {
    let asked = visitor
        .api
        .signed_out()
        .sign_up(form.get("email"), form.raw("password"))
        .await;
    answer(&app, &visitor, Purpose::SignUp, &form, asked)
}

/// `POST /auth/signin`.
pub(crate) async fn sign_in(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    form: Form,
) -> Result<Response, Failure> {
    let asked = visitor
        .api
        .signed_out()
        .sign_in(form.get("email"), form.raw("password"))
        .await;
    answer(&app, &visitor, Purpose::SignIn, &form, asked)
}

fn answer(
    app: &App,
    visitor: &Visitor,
    purpose: Purpose,
    form: &Form,
    asked: Result<Session, ClientError>,
) -> Result<Response, Failure> {
    let next = LocalPath::read(form.raw("next"));
    let error = match asked {
        Ok(session) => {
            let mut response = go(next.as_str());
            let cookie = HeaderValue::try_from(session.cookie.expose()).map_err(|_| Failure::Broken)?;
            response.headers_mut().append(header::SET_COOKIE, cookie);
            return Ok(response);
        }
        Err(error) => error,
    };
    let failed = match (error.status(), error.problem()) {
        (Some(400), Some(problem)) => {
            let errors = Errors::from_problem(problem, |field| match field {
                "email" => Some("email"),
                "password" => Some("password"),
                _ => None,
            });
            let errors = match problem.code {
                // Which of the two is wrong is not told, here as little as by the API.
                ErrorCode::InvalidCredentials => Errors::general("Email or password is wrong"),
                _ => errors,
            };
            (StatusCode::UNPROCESSABLE_ENTITY, errors)
        }
        (Some(429), _) => (
            StatusCode::TOO_MANY_REQUESTS,
            Errors::general("Too many attempts. Wait a few minutes and try again."),
        ),
        _ => {
            tracing::warn!(%error, "nobody can sign in");
            (
                StatusCode::SERVICE_UNAVAILABLE,
                Errors::general("The shop did not answer. Nothing is lost: try again in a moment."),
            )
        }
    };
    Ok(form_page(app, visitor, purpose, &next, form.get("email"), failed))
}

fn form_page(
    app: &App,
    visitor: &Visitor,
    purpose: Purpose,
    next: &LocalPath,
    email: &str,
    (status, errors): (StatusCode, Errors),
) -> Response {
    let (title, hint, other) = match purpose {
        Purpose::SignUp => ("Sign up", "password-hint", "/auth/signin"),
        Purpose::SignIn => ("Sign in", "", "/auth/signup"),
    };
    let shell = Shell::private(&app.site, visitor, title);
    let page = AccountPage {
        shell: if errors.is_empty() {
            shell
        } else {
            shell.with_errors()
        },
        errors,
        is_new: purpose == Purpose::SignUp,
        signed_in_as: visitor.user().map(|user| user.email.as_str()),
        email,
        hint,
        next,
        other: next.by_way_of(other),
    };
    html(status, &page)
}

/// `GET /auth/signout`: the button; leaving by a link would let other sites do it.
pub(crate) async fn sign_out_form(State(app): State<Arc<App>>, visitor: Visitor) -> Response {
    let page = SignOutPage {
        shell: Shell::private(&app.site, &visitor, "Sign out"),
        signed_in_as: visitor.user().map(|user| user.email.as_str()),
    };
    html(StatusCode::OK, &page)
}

/// `POST /auth/signout`.
pub(crate) async fn sign_out(State(app): State<Arc<App>>, visitor: Visitor) -> Response {
    let mut cookies = visitor.cookies.clone();
    for name in COOKIES
        .into_iter()
        .filter(|name| visitor.cookies.get(name).is_some())
    {
        let forget = Cookie::build((name, ""))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(app.site.is_https())
            .max_age(time::Duration::ZERO);
        cookies = cookies.add(forget.build());
    }
    (cookies, go("/")).into_response()
}
