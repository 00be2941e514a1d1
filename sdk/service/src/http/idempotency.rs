//! `Idempotency-Key`: within 24 hours the same (user, method, path, key) has its effect once.
//!
//! A row per key holds the hash of the body and a random seed. Handlers derive the ids of what they create from the
//! seed, so that running a request again meets what the first run created; this layer only refuses another body, lets
//! a second request wait while the first runs, and forgets keys whose request had no effect: the client's errors, and
//! what says so of itself ([`ApiError::ended_without_effect`]). Once a run was answered with a success, all others only
//! meet what it created, and wait for nobody.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bigtix_contracts::{ErrorCode, UserId};
use bson::oid::ObjectId;
use bson::{Bson, Document, doc};
use mongodb::IndexModel;
use mongodb::options::{IndexOptions, ReturnDocument};
use sha2::{Digest, Sha256};
use tracing::Instrument;

use super::ApiError;
use super::body::read_bytes;
use super::error::WithoutEffect;
use super::session::{Sessions, identify};
use crate::clock::StoreClock;
use crate::mongo::{Mongo, duplicate_key, to_bson_time};

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
const COLLECTION: &str = "idempotency";
/// How long a key is honoured.
const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);
/// After this long without an answer, a request is taken to have died with its process.
const LEASE: Duration = Duration::from_secs(30);
/// How long a second request waits for the first.
const PATIENCE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(25);

/// The layer's state; cheap to clone.
#[derive(Clone)]
pub struct Idempotency(Arc<Shared>);

struct Shared {
    mongo: Mongo,
    /// An instance that is ahead and dies would keep its keys busy for as long.
    clock: StoreClock,
    sessions: Sessions,
}

/// What ids of this request's effects are derived from.
#[derive(Debug, Clone, Copy)]
pub struct EffectSeed {
    /// None without a key.
    seed: Option<[u8; 12]>,
    is_repeated: bool,
}

impl EffectSeed {
    /// A seed that is nobody's: ids are new at every call.
    pub const NONE: Self = Self {
        seed: None,
        is_repeated: false,
    };

    /// The id of the `n`th thing of this `kind` that the request creates. With a key it is the same in every run.
    pub fn id(self, kind: &str, n: usize) -> [u8; 12] {
        let Some(seed) = self.seed else {
            return ObjectId::new().bytes();
        };
        let digest = Sha256::new()
            .chain_update(seed)
            .chain_update(kind)
            .chain_update(n.to_be_bytes())
            .finalize();
        let mut id = [0; 12];
        id[..4].copy_from_slice(&seed[..4]);
        id[4..].copy_from_slice(&digest[..8]);
        id
    }

    /// Whether the request may have run before, so that an id it derives may exist already.
    pub fn is_repeated(self) -> bool {
        self.is_repeated
    }
}

impl<S: Send + Sync> FromRequestParts<S> for EffectSeed {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().copied().unwrap_or(Self::NONE))
    }
}

enum Begun {
    /// This request runs.
    Run(Turn),
    /// Another one with the same key and body runs.
    Busy,
    /// Nothing is known of the key.
    Unknown,
    /// The key was used with another body.
    OtherBody,
}

struct Turn {
    seed: [u8; 12],
    is_repeated: bool,
    /// The stamp of a run whose outcome decides what becomes of the key; none once one was a success.
    attempt: Option<ObjectId>,
}

/// What a run says of its key.
enum Outcome {
    Success,
    /// Nothing happened: the key is as new.
    NoEffect,
    /// There may have been an effect: the next one runs alone, too.
    Unknown,
}

impl Outcome {
    fn of(response: &Response) -> Self {
        if response.status().is_success() {
            Self::Success
        } else if response.status().is_client_error()
            || response.extensions().get::<WithoutEffect>().is_some()
        {
            Self::NoEffect
        } else {
            Self::Unknown
        }
    }
}

impl Idempotency {
    /// Prepares the collection.
    ///
    /// # Errors
    /// The store's.
    pub async fn prepare(
        mongo: Mongo,
        clock: StoreClock,
        sessions: Sessions,
    ) -> Result<Self, mongodb::error::Error> {
        let expiry = IndexOptions::builder().expire_after(LIFETIME).build();
        let index = IndexModel::builder()
            .keys(doc! {"createdAt": 1})
            .options(expiry)
            .build();
        mongo.collection(COLLECTION).create_index(index).await?;
        Ok(Self(Arc::new(Shared {
            mongo,
            clock,
            sessions,
        })))
    }

    /// For the first request with a key, which most are the only one of: one write, and no look before it.
    async fn begin(&self, key: &str, body: &str) -> Result<Begun, mongodb::error::Error> {
        let rows = self.0.mongo.collection(COLLECTION);
        let attempt = ObjectId::new();
        let seed = ObjectId::new();
        let now = to_bson_time(self.0.clock.now());
        let row = doc! {"_id": key, "body": body, "seed": seed, "attempt": attempt, "running": true, "createdAt": now, "leaseAt": now};
        match rows.insert_one(row).await {
            Ok(_) => Ok(Begun::Run(Turn {
                seed: seed.bytes(),
                is_repeated: false,
                attempt: Some(attempt),
            })),
            Err(error) if duplicate_key(&error).is_some() => self.look(key, body).await,
            Err(error) => Err(error),
        }
    }

    /// For those that come after the first. They read before they write: fifty that wait for one would otherwise spend
    /// the store's time on writes that conflict.
    async fn look(&self, key: &str, body: &str) -> Result<Begun, mongodb::error::Error> {
        let rows = self.0.mongo.collection(COLLECTION);
        let Some(row) = rows.find_one(doc! {"_id": key}).await? else {
            return Ok(Begun::Unknown);
        };
        if row.get("body") != Some(&Bson::from(body)) {
            return Ok(Begun::OtherBody);
        }
        if let (Ok(true), Ok(seed)) = (row.get_bool("succeeded"), row.get_object_id("seed")) {
            return Ok(Begun::Run(Turn {
                seed: seed.bytes(),
                is_repeated: true,
                attempt: None,
            }));
        }
        let now = self.0.clock.now();
        let stale = to_bson_time(now - LEASE);
        let is_stale = row.get_datetime("leaseAt").is_ok_and(|at| *at < stale);
        if matches!(row.get_bool("running"), Ok(true)) && !is_stale {
            return Ok(Begun::Busy);
        }
        let attempt = ObjectId::new();
        let free = doc! {"_id": key, "body": body, "succeeded": {"$ne": true}, "$or": [{"running": false}, {"leaseAt": {"$lt": stale}}]};
        let take = doc! {"$set": {"running": true, "attempt": attempt, "leaseAt": to_bson_time(now)}};
        let taken = rows
            .find_one_and_update(free, take)
            .return_document(ReturnDocument::After)
            .await?;
        let seed = taken.as_ref().and_then(|row| row.get_object_id("seed").ok());
        Ok(seed.map_or(Begun::Busy, |seed| {
            Begun::Run(Turn {
                seed: seed.bytes(),
                is_repeated: true,
                attempt: Some(attempt),
            })
        }))
    }

    /// A request without effect leaves no trace; one with an effect, or with an unknown one, keeps its seed.
    async fn end(&self, key: &str, attempt: ObjectId, outcome: Outcome) {
        let rows = self.0.mongo.collection(COLLECTION);
        let own: Document = doc! {"_id": key, "attempt": attempt};
        let set = async |fields: Document| {
            let own = own.clone();
            rows.update_one(own, doc! {"$set": fields}).await.map(|_| ())
        };
        let ended = match outcome {
            Outcome::NoEffect => rows.delete_one(own.clone()).await.map(|_| ()),
            Outcome::Success => set(doc! {"running": false, "succeeded": true}).await,
            Outcome::Unknown => set(doc! {"running": false}).await,
        };
        if let Err(error) = ended {
            tracing::warn!(%error, "an idempotency key stays busy until its lease ends");
        }
    }
}

/// The middleware, for signed-in POSTs; every other request passes.
pub(super) async fn honour_key(
    State(layer): State<Idempotency>,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(header) = request.headers().get(&HEADER).cloned() else {
        return next.run(request).await;
    };
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    let Some(caller) = identify(&layer.0.sessions, &mut request).map(|caller| caller.id) else {
        return next.run(request).await;
    };
    let key = match header.to_str() {
        Ok(key) if (1..=255).contains(&key.len()) && key.bytes().all(|b| (0x20..0x7f).contains(&b)) => {
            key.to_owned()
        }
        _ => {
            return ApiError::invalid(
                "Idempotency-Key",
                "Idempotency-Key must be 1 to 255 printable characters",
            )
            .into_response();
        }
    };
    let row = row_id(caller, request.uri().path(), &key);
    let (parts, body) = request.into_parts();
    let bytes = match read_bytes(Request::from_parts(parts.clone(), body), &()).await {
        Ok(bytes) => bytes,
        Err(error) => return error.into_response(),
    };
    let body_hash = hex::encode(Sha256::digest(&bytes));
    request = Request::from_parts(parts, Body::from(bytes));
    let turn = match wait_for_turn(&layer, &row, &body_hash).await {
        Ok(turn) => turn,
        Err(error) => return error.into_response(),
    };
    let Turn {
        seed,
        is_repeated,
        attempt,
    } = turn;
    request.extensions_mut().insert(EffectSeed {
        seed: Some(seed),
        is_repeated,
    });
    // The request goes on when its caller hangs up: the key must not stay busy, and the effect is wanted.
    let run = async move {
        let response = next.run(request).await;
        if let Some(attempt) = attempt {
            layer.end(&row, attempt, Outcome::of(&response)).await;
        }
        response
    };
    tokio::spawn(run.in_current_span())
        .await
        .unwrap_or_else(|error| ApiError::internal(error).into_response())
}

async fn wait_for_turn(layer: &Idempotency, row: &str, body_hash: &str) -> Result<Turn, ApiError> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let mut begun = layer.begin(row, body_hash).await?;
    loop {
        begun = match begun {
            Begun::Run(turn) => return Ok(turn),
            Begun::Unknown => layer.begin(row, body_hash).await?,
            Begun::OtherBody => {
                let message = "The Idempotency-Key was used with another body";
                return Err(ApiError::new(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    ErrorCode::IdempotencyKeyReused,
                    message,
                ));
            }
            Begun::Busy if tokio::time::Instant::now() >= deadline => return Err(ApiError::outcome_unknown()),
            Begun::Busy => {
                tokio::time::sleep(POLL).await;
                layer.look(row, body_hash).await?
            }
        }
    }
}

fn row_id(user: UserId, path: &str, key: &str) -> String {
    let path = path.strip_suffix('/').unwrap_or(path);
    hex::encode(
        Sha256::new()
            .chain_update(user.bytes())
            .chain_update(path)
            .chain_update([0])
            .chain_update(key)
            .finalize(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_ids_in_every_run_and_others_for_other_things() {
        let seed = EffectSeed {
            seed: Some([7; 12]),
            is_repeated: false,
        };
        assert_eq!(seed.id("ticket", 0), seed.id("ticket", 0));
        assert_ne!(seed.id("ticket", 0), seed.id("ticket", 1));
        assert_ne!(seed.id("ticket", 0), seed.id("order", 0));
        assert_ne!(EffectSeed::NONE.id("ticket", 0), EffectSeed::NONE.id("ticket", 0));
    }
}
