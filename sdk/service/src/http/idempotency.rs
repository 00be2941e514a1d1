//! `Idempotency-Key`: within 24 hours the same (user, method, path, key) has its effect once.
//!
//! A row per key holds the hash of the body and a random seed. Handlers derive the ids of what they create from the
//! seed, so that running a request again meets what the first run created; this layer only refuses another body, lets
//! a second request wait while the first runs, and forgets keys whose request had no effect: the client's errors, and
//! what says so of itself ([`ApiError::ended_without_effect`]).

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

use super::ApiError;
use super::body::read_bytes;
use super::error::WithoutEffect;
use super::session::{Sessions, identify};
use crate::mongo::{Mongo, duplicate_key};

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
const COLLECTION: &str = "idempotency";
/// How long a key is honoured.
const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);
/// After this long without an answer, a request is taken to have died with its process.
const LEASE_MILLIS: i64 = 30_000;
/// How long a second request waits for the first.
const PATIENCE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(25);

/// The layer's state.
#[derive(Clone)]
pub struct Idempotency {
    mongo: Mongo,
    sessions: Sessions,
}

/// What ids of this request's effects are derived from.
#[derive(Debug, Clone, Copy)]
pub struct EffectSeed(Option<[u8; 12]>);

impl EffectSeed {
    /// A seed that is nobody's: ids are new at every call.
    pub const NONE: Self = Self(None);

    /// The id of the `n`th thing of this `kind` that the request creates. With a key it is the same in every run.
    pub fn id(self, kind: &str, n: usize) -> [u8; 12] {
        let Some(seed) = self.0 else {
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

    /// Whether the request carries a key, so that an id it derives may exist already.
    pub fn is_keyed(self) -> bool {
        self.0.is_some()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for EffectSeed {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().copied().unwrap_or(Self::NONE))
    }
}

enum Begun {
    /// This request runs, with its seed and the stamp of its attempt.
    Run { seed: [u8; 12], attempt: ObjectId },
    /// Another one with the same key and body runs.
    Busy,
    /// The key was used with another body.
    OtherBody,
}

impl Idempotency {
    /// Prepares the collection.
    ///
    /// # Errors
    /// The store's.
    pub async fn prepare(mongo: Mongo, sessions: Sessions) -> Result<Self, mongodb::error::Error> {
        let expiry = IndexOptions::builder().expire_after(LIFETIME).build();
        let index = IndexModel::builder()
            .keys(doc! {"createdAt": 1})
            .options(expiry)
            .build();
        mongo.collection(COLLECTION).create_index(index).await?;
        Ok(Self { mongo, sessions })
    }

    async fn begin(&self, key: &str, body: &str) -> Result<Begun, mongodb::error::Error> {
        let rows = self.mongo.collection(COLLECTION);
        let attempt = ObjectId::new();
        let seed = ObjectId::new();
        let row = doc! {"_id": key, "body": body, "seed": seed, "attempt": attempt, "running": true, "createdAt": bson::DateTime::now(), "leaseAt": bson::DateTime::now()};
        match rows.insert_one(row).await {
            Ok(_) => {
                return Ok(Begun::Run {
                    seed: seed.bytes(),
                    attempt,
                });
            }
            Err(error) if duplicate_key(&error).is_some() => {}
            Err(error) => return Err(error),
        }
        let stale = bson::DateTime::from_millis(bson::DateTime::now().timestamp_millis() - LEASE_MILLIS);
        let free = doc! {"_id": key, "body": body, "$or": [{"running": false}, {"leaseAt": {"$lt": stale}}]};
        let take = doc! {"$set": {"running": true, "attempt": attempt, "leaseAt": bson::DateTime::now()}};
        let taken = rows
            .find_one_and_update(free, take)
            .return_document(ReturnDocument::After)
            .await?;
        if let Some(seed) = taken.as_ref().and_then(|row| row.get_object_id("seed").ok()) {
            return Ok(Begun::Run {
                seed: seed.bytes(),
                attempt,
            });
        }
        let other = rows
            .find_one(doc! {"_id": key})
            .await?
            .is_some_and(|row| row.get("body") != Some(&Bson::from(body)));
        Ok(if other { Begun::OtherBody } else { Begun::Busy })
    }

    /// A request without effect leaves no trace; one with an effect, or with an unknown one, keeps its seed.
    async fn end(&self, key: &str, attempt: ObjectId, had_no_effect: bool) {
        let rows = self.mongo.collection(COLLECTION);
        let own: Document = doc! {"_id": key, "attempt": attempt};
        let ended = if had_no_effect {
            rows.delete_one(own).await.map(|_| ())
        } else {
            rows.update_one(own, doc! {"$set": {"running": false}})
                .await
                .map(|_| ())
        };
        if let Err(error) = ended {
            tracing::warn!(%error, "an idempotency key stays busy until its lease ends");
        }
    }
}

fn had_no_effect(response: &Response) -> bool {
    response.status().is_client_error() || response.extensions().get::<WithoutEffect>().is_some()
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
    let Some(caller) = identify(&layer.sessions, &mut request).map(|caller| caller.id) else {
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
    let (seed, attempt) = match wait_for_turn(&layer, &row, &body_hash).await {
        Ok(turn) => turn,
        Err(error) => return error.into_response(),
    };
    request.extensions_mut().insert(EffectSeed(Some(seed)));
    // The request goes on when its caller hangs up: the key must not stay busy, and the effect is wanted.
    let ran = tokio::spawn(async move {
        let response = next.run(request).await;
        layer.end(&row, attempt, had_no_effect(&response)).await;
        response
    });
    ran.await
        .unwrap_or_else(|error| ApiError::internal(error).into_response())
}

async fn wait_for_turn(
    layer: &Idempotency,
    row: &str,
    body_hash: &str,
) -> Result<([u8; 12], ObjectId), ApiError> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        match layer.begin(row, body_hash).await? {
            Begun::Run { seed, attempt } => return Ok((seed, attempt)),
            Begun::OtherBody => {
                let message = "The Idempotency-Key was used with another body";
                return Err(ApiError::new(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    ErrorCode::IdempotencyKeyReused,
                    message,
                ));
            }
            Begun::Busy if tokio::time::Instant::now() >= deadline => return Err(ApiError::outcome_unknown()),
            Begun::Busy => tokio::time::sleep(POLL).await,
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
        let seed = EffectSeed(Some([7; 12]));
        assert_eq!(seed.id("ticket", 0), seed.id("ticket", 0));
        assert_ne!(seed.id("ticket", 0), seed.id("ticket", 1));
        assert_ne!(seed.id("ticket", 0), seed.id("order", 0));
        assert_ne!(EffectSeed::NONE.id("ticket", 0), EffectSeed::NONE.id("ticket", 0));
    }
}
