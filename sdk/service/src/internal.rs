//! Calls between services: HTTP on a port that the edge never routes to, with a service token of its own key and
//! audience. Every call is idempotent and has a deadline.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::extract::{FromRequest, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, middleware};
use cached::Cached;
use jsonwebtoken::{Algorithm, Validation};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tracing::Instrument;

use crate::admission::{PAST_CAPACITY, Strain};
use crate::config::Settings;
use crate::http::ApiError;
use crate::http::keys::KeyRing;
use crate::http::observe::given_trace;
use crate::trace::{self, TRACEPARENT};

const AUDIENCE: &str = "bigtix-internal";
const TOKEN_SECONDS: i64 = 300;
const DEADLINE: Duration = Duration::from_secs(5);
const ATTEMPTS: usize = 3;

#[derive(Serialize, Deserialize)]
struct ServiceClaims {
    iss: String,
    aud: String,
    exp: i64,
}

/// Reads `SERVICE_KEYS`.
pub fn read_service_keys(settings: &mut Settings) -> KeyRing {
    KeyRing::read(
        settings,
        "SERVICE_KEYS",
        "keys of the tokens that services show each other, id:base64 separated by commas",
    )
}

/// The routes, behind the check of the service token.
pub(crate) fn guarded(routes: Router, keys: KeyRing) -> Router {
    routes
        .fallback(async || ApiError::not_found("Not found"))
        .layer(middleware::from_fn_with_state(keys, check_token))
}

async fn check_token(State(keys): State<KeyRing>, request: Request, next: Next) -> Response {
    let header = request
        .headers()
        .get(axum::http::header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let token = header.and_then(|value| value.strip_prefix("Bearer "));
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_audience(&[AUDIENCE]);
    match token.and_then(|token| keys.verify::<ServiceClaims>(token, &validation)) {
        Some(_) => {
            let span = tracing::info_span!("call", route = request.uri().path());
            if let Some(given) = given_trace(request.headers()) {
                trace::go_on(&span, given);
            }
            next.run(request).instrument(span).await
        }
        None => ApiError::not_authorized().into_response(),
    }
}

/// Extractor of an internal call's body.
pub struct Call<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Call<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let Json(body) = Json::<T>::from_request(request, state)
            .await
            .map_err(|rejection| {
                ApiError::validation(vec![bigtix_contracts::ErrorItem {
                    message: rejection.body_text(),
                    field: None,
                }])
            })?;
        Ok(Self(body))
    }
}

/// Why a call came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The service could not be reached, or did not answer in time; the call may have had its effect.
    #[error("{service} cannot be reached: {reason}")]
    Unreachable {
        /// Which service.
        service: &'static str,
        /// What was tried last.
        reason: String,
    },
    /// The service does not know the thing.
    #[error("{service} knows no such thing")]
    NotFound {
        /// Which service.
        service: &'static str,
    },
    /// The service answered something that no caller can handle.
    #[error("{service} answered {status}")]
    Refused {
        /// Which service.
        service: &'static str,
        /// Its status code.
        status: u16,
    },
}

impl From<CallError> for ApiError {
    fn from(error: CallError) -> Self {
        match &error {
            CallError::Unreachable { service, .. } => {
                Self::unavailable(format!("The {service} service cannot be reached")).caused_by(error)
            }
            CallError::NotFound { .. } | CallError::Refused { .. } => Self::internal(error),
        }
    }
}

/// Calls one service.
#[derive(Clone)]
pub struct Peer {
    service: &'static str,
    caller: &'static str,
    bases: Arc<Vec<String>>,
    turn: Arc<AtomicUsize>,
    http: reqwest::Client,
    keys: KeyRing,
    token: Arc<Cached>,
    strain: Strain,
}

impl Peer {
    /// `caller` calls `service` at `bases` (one per instance, or one that balances by itself).
    pub fn new(caller: &'static str, service: &'static str, bases: Vec<String>, keys: KeyRing) -> Self {
        crate::tls::use_ring();
        let http = reqwest::Client::builder()
            .timeout(DEADLINE)
            .connect_timeout(Duration::from_secs(1))
            .no_proxy();
        Self {
            service,
            caller,
            bases: Arc::new(
                bases
                    .into_iter()
                    .map(|base| base.trim_end_matches('/').to_owned())
                    .collect(),
            ),
            turn: Arc::default(),
            http: http
                .build()
                .expect("a plain client needs nothing from the system"),
            keys,
            token: Arc::default(),
            strain: Strain::default(),
        }
    }

    /// Says with each call whether the caller is past its capacity, so that what is called begins less.
    #[must_use]
    pub fn telling(self, strain: Strain) -> Self {
        Self { strain, ..self }
    }

    fn token(&self) -> String {
        self.token.get_or(Duration::from_secs(60), || {
            let claims = ServiceClaims {
                iss: self.caller.to_owned(),
                aud: AUDIENCE.to_owned(),
                exp: jiff::Timestamp::now().as_second() + TOKEN_SECONDS,
            };
            self.keys.sign(&claims).unwrap_or_default()
        })
    }

    /// Makes the call; what did not get through is tried again, at another instance where there is one.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn call<Q: Serialize + Sync, A: DeserializeOwned>(
        &self,
        path: &str,
        question: &Q,
    ) -> Result<A, CallError> {
        let started = Instant::now();
        let mut reason = String::from("no address is configured");
        for attempt in 0..ATTEMPTS {
            let Some(base) = self
                .bases
                .get(self.turn.fetch_add(1, Ordering::Relaxed) % self.bases.len().max(1))
            else {
                break;
            };
            let mut request = self.http.post(format!("{base}{path}"));
            if self.strain.is_felt() {
                request = request.header(PAST_CAPACITY, "1");
            }
            if let Some(traceparent) = trace::current() {
                request = request.header(TRACEPARENT, traceparent);
            }
            match request.bearer_auth(self.token()).json(question).send().await {
                Ok(answer) if answer.status().is_success() => match answer.json().await {
                    Ok(answer) => return Ok(answer),
                    Err(error) => reason = crate::http::error::describe(&error),
                },
                Ok(answer) if answer.status().as_u16() == 404 => {
                    return Err(CallError::NotFound {
                        service: self.service,
                    });
                }
                Ok(answer) if answer.status().is_server_error() => {
                    reason = format!("status {}", answer.status().as_u16())
                }
                Ok(answer) => {
                    return Err(CallError::Refused {
                        service: self.service,
                        status: answer.status().as_u16(),
                    });
                }
                Err(error) => reason = crate::http::error::describe(&error),
            }
            if started.elapsed() > DEADLINE {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20 << attempt)).await;
        }
        Err(CallError::Unreachable {
            service: self.service,
            reason,
        })
    }
}

mod cached {
    use std::sync::Mutex;
    use std::time::{Duration, Instant};

    /// A text that is made anew when it is old.
    #[derive(Default)]
    pub(crate) struct Cached(Mutex<Option<(Instant, String)>>);

    impl Cached {
        pub(crate) fn get_or(&self, lifetime: Duration, make: impl FnOnce() -> String) -> String {
            let mut slot = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            match &*slot {
                Some((made, text)) if made.elapsed() < lifetime => text.clone(),
                _ => {
                    let text = make();
                    *slot = Some((Instant::now(), text.clone()));
                    text
                }
            }
        }
    }
}
