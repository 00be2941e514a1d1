//! One request of Stripe's API: who asks, what for, whether it was asked before, and what goes wrong.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::account::Context;
use super::error::StripeError;
use super::events::API_VERSION;
use super::fault::{RequestFault, RequestTrouble};
use super::form::Params;
use super::idempotency::{Answer, Seen};
use super::request::{self, Access, Call};
use super::server::{HangUp, Shared, now};
use crate::eventually::elapse;

const LIMIT: usize = 1 << 20;

/// A request that is allowed and makes sense.
struct Understood {
    call: Call,
    path: String,
    params: Params,
    context: Context,
}

/// What becomes of it.
enum Fate {
    /// It is executed, unless the trouble prevents it.
    Execute(Option<RequestFault>),
    /// It was executed before.
    Replay(Answer, Option<RequestFault>),
}

/// Answers anything below `/v1`.
pub(crate) async fn serve(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    if request.method() == Method::OPTIONS {
        return preflight();
    }
    let id = shared.account().issue("req");
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, LIMIT).await.unwrap_or_default();
    let path = parts.uri.path().to_owned();
    let query = parts.uri.query().unwrap_or_default();
    match understand(&shared, &parts.method, &path, query, &parts.headers, &body, &id) {
        Ok(understood) => run(&shared, understood, id).await,
        Err(error) => respond(&refused(&error, &id), None, false),
    }
}

fn understand(
    shared: &Shared,
    method: &Method,
    path: &str,
    query: &str,
    headers: &HeaderMap,
    body: &Bytes,
    id: &str,
) -> Result<Understood, StripeError> {
    let unknown = || StripeError::no_such_path(method.as_str(), path);
    let rest = path.strip_prefix("/v1/").ok_or_else(unknown)?;
    let segments: Vec<&str> = rest.trim_end_matches('/').split('/').collect();
    let form = if *method == Method::POST {
        body.as_ref()
    } else {
        query.as_bytes()
    };
    let is_json = headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    if is_json && !body.is_empty() {
        return Err(StripeError::parameter(
            "",
            "The API takes form-encoded parameters, not JSON.",
        ));
    }
    let mut params = Params::parse(form)
        .map_err(|name| StripeError::parameter(&name, format!("Invalid parameter name: {name}")))?;
    // A browser's form names the publishable key among its fields.
    let key = match params.take(&["key"]) {
        Some(key) if !headers.contains_key(header::AUTHORIZATION) => key,
        _ => api_key(headers)?,
    };
    authorise(
        shared,
        &key,
        request::access(method.as_str(), &segments),
        &segments,
        &params,
    )?;
    let call = request::parse(method.as_str(), &segments, &params).ok_or_else(unknown)??;
    let context = Context {
        now: now(),
        request: Some(id.to_owned()),
        key: idempotency_key(method, headers)?,
        expand: params
            .children(&["expand"])
            .into_iter()
            .map(|(_, field)| field.to_owned())
            .collect(),
    };
    Ok(Understood {
        call,
        path: path.to_owned(),
        params,
        context,
    })
}

/// The key in `Authorization`, as a bearer or as the user of basic authentication.
fn api_key(headers: &HeaderMap) -> Result<String, StripeError> {
    let missing =
        || StripeError::unauthenticated("No API key was given. Send it as `Authorization: Bearer <key>`.");
    let header = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .ok_or_else(missing)?;
    let (scheme, credentials) = header.split_once(' ').ok_or_else(missing)?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Ok(credentials.trim().to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(missing());
    }
    let decoded = STANDARD
        .decode(credentials.trim())
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let decoded = decoded.ok_or_else(missing)?;
    Ok(decoded
        .split_once(':')
        .map_or(decoded.as_str(), |(user, _)| user)
        .to_owned())
}

fn authorise(
    shared: &Shared,
    key: &str,
    access: Access,
    path: &[&str],
    params: &Params,
) -> Result<(), StripeError> {
    if key == shared.secret_key {
        return Ok(());
    }
    if key != shared.publishable_key {
        return Err(StripeError::unauthenticated("Invalid API key."));
    }
    let allowed = match access {
        Access::Secret => false,
        Access::Publishable => true,
        Access::ClientSecret => {
            let account = shared.account();
            let intent = path.get(1).and_then(|id| account.intents.get(id));
            intent.is_some_and(|intent| params.get(&["client_secret"]) == Some(intent.client_secret.as_str()))
        }
    };
    if allowed {
        Ok(())
    } else {
        Err(StripeError::secret_key_required())
    }
}

fn idempotency_key(method: &Method, headers: &HeaderMap) -> Result<Option<String>, StripeError> {
    let Some(value) = headers.get("idempotency-key").filter(|_| *method == Method::POST) else {
        return Ok(None);
    };
    match value.to_str() {
        Ok(key) if (1..=255).contains(&key.len()) => Ok(Some(key.to_owned())),
        Ok(_) | Err(_) => Err(StripeError::key_reused(
            "An idempotency key has 1 to 255 printable characters.",
        )),
    }
}

async fn run(shared: &Arc<Shared>, understood: Understood, id: String) -> Response {
    let key = understood.context.key.clone();
    let fate = match decide(shared, &understood) {
        Ok(fate) => fate,
        Err(error) => return respond(&refused(&error, &id), key.as_deref(), false),
    };
    let (fault, replay) = match fate {
        Fate::Execute(fault) => (fault, None),
        Fate::Replay(answer, fault) => (fault, Some(answer)),
    };
    let Some(fault) = fault else {
        let replayed = replay.is_some();
        let answer = replay.unwrap_or_else(|| execute(shared, understood, &id, None));
        return respond(&answer, key.as_deref(), replayed);
    };
    match fault.kind {
        RequestTrouble::TimeoutBefore => hang_up(&fault).await,
        RequestTrouble::TimeoutAfter => {
            if replay.is_none() {
                execute(shared, understood, &id, None);
            }
            hang_up(&fault).await
        }
        RequestTrouble::RateLimited => {
            respond(&refused(&StripeError::rate_limited(), &id), key.as_deref(), false)
        }
        RequestTrouble::ErrorBefore => respond(&refused(&StripeError::api(), &id), key.as_deref(), false),
        RequestTrouble::ErrorBeforeStored => {
            let answer = refused(&StripeError::api(), &id);
            if let Some(key) = &key {
                shared.account().keys.finish(key, answer.clone());
            }
            respond(&answer, key.as_deref(), false)
        }
        RequestTrouble::ErrorAfter => {
            let answer = execute(shared, understood, &id, Some(StripeError::api()));
            respond(&answer, key.as_deref(), false)
        }
        RequestTrouble::Slow => {
            elapse(fault.duration()).await;
            let answer = execute(shared, understood, &id, None);
            respond(&answer, key.as_deref(), false)
        }
    }
}

/// Looks the key up, strikes a fault, and reserves the key if the call is to be executed.
fn decide(shared: &Shared, understood: &Understood) -> Result<Fate, StripeError> {
    let mut account = shared.account();
    let Understood {
        call,
        path,
        params,
        context,
    } = understood;
    let seen = context
        .key
        .as_ref()
        .map_or(Seen::Fresh, |key| account.keys.look(key, path, params));
    let answered = match (seen, context.key.as_deref().unwrap_or_default()) {
        (Seen::Fresh, _) => None,
        (Seen::Answered(answer), _) => Some(answer),
        (Seen::InFlight, key) => return Err(StripeError::key_in_use(key)),
        (Seen::OtherParameters, key) => {
            let message = format!("The idempotency key '{key}' was first used with other parameters.");
            return Err(StripeError::key_reused(message));
        }
        (Seen::OtherPath(first), key) => {
            let message = format!(
                "The idempotency key '{key}' was first used at another endpoint ({first}, now {path})."
            );
            return Err(StripeError::key_reused(message));
        }
    };
    let carried = account.carried_fault(call, context.key.as_deref());
    let fault = call
        .operation()
        .and_then(|operation| account.faults.strike(operation, answered.is_some(), carried));
    if let Some(answer) = answered {
        return Ok(Fate::Replay(answer, fault));
    }
    let begins = match fault.map(|fault| fault.kind) {
        None | Some(RequestTrouble::TimeoutAfter | RequestTrouble::ErrorAfter | RequestTrouble::Slow) => true,
        Some(RequestTrouble::ErrorBeforeStored) => true,
        Some(RequestTrouble::TimeoutBefore | RequestTrouble::ErrorBefore | RequestTrouble::RateLimited) => {
            false
        }
    };
    if let Some(key) = context.key.as_ref().filter(|_| begins) {
        account.keys.begin(key, path, params);
    }
    Ok(Fate::Execute(fault))
}

/// Executes, stores the answer under the key, and wakes the courier. `instead` is told instead of the truth.
fn execute(shared: &Shared, understood: Understood, id: &str, instead: Option<StripeError>) -> Answer {
    let Understood { call, context, .. } = understood;
    let mut account = shared.account();
    let outcome = account.execute(call, &context);
    let (outcome, executed) = match (outcome, instead) {
        (_, Some(error)) => (Err(error), true),
        (Ok(value), None) => (Ok(value), true),
        (Err(error), None) => {
            let executed = error.executed;
            (Err(error), executed)
        }
    };
    let answer = match outcome {
        Ok(value) => Answer {
            status: 200,
            body: value.to_string(),
            request: id.to_owned(),
        },
        Err(error) => refused(&error, id),
    };
    match &context.key {
        Some(key) if executed => account.keys.finish(key, answer.clone()),
        Some(key) => account.keys.forget(key),
        None => {}
    }
    drop(account);
    shared.news.notify_one();
    answer
}

async fn hang_up(fault: &RequestFault) -> Response {
    elapse(fault.duration()).await;
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(HangUp);
    response
}

fn refused(error: &StripeError, id: &str) -> Answer {
    Answer {
        status: error.status,
        body: error.body().to_string(),
        request: id.to_owned(),
    }
}

fn respond(answer: &Answer, key: Option<&str>, replayed: bool) -> Response {
    let mut response = json(answer.status, answer.body.clone());
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set("request-id", &answer.request);
    set("stripe-version", API_VERSION);
    if let Some(key) = key {
        set("idempotency-key", key);
        set("original-request", &answer.request);
    }
    if replayed {
        set("idempotent-replayed", "true");
    }
    response
}

/// A page of the shop may call the API from the browser.
fn preflight() -> Response {
    let mut response = json(204, String::new());
    let headers = response.headers_mut();
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, POST, DELETE"),
    );
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("authorization, content-type, idempotency-key, stripe-version"),
    );
    response
}

/// A JSON answer that any origin may read.
pub(crate) fn json(status: u16, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

/// A JSON answer, or a refusal in Stripe's shape.
pub(crate) fn outcome(outcome: Result<Value, StripeError>) -> Response {
    match outcome {
        Ok(value) => json(200, value.to_string()),
        Err(error) => json(error.status, error.body().to_string()),
    }
}
