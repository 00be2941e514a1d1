//! How every service speaks HTTP: one error type, one way to read a body, one session check.

pub mod body;
pub mod description;
pub mod error;
pub mod fields;
pub mod idempotency;
pub mod keys;
pub mod limit;
pub mod observe;
pub mod operations;
pub mod page;
pub mod params;
pub mod session;

use axum::http::Method;
use axum::{Extension, Router, middleware};
use tower::ServiceBuilder;

use crate::rate::RateLimit;

pub use body::JsonBody;
pub use error::ApiError;
pub use fields::Fields;
pub use page::{Cursor, Page};
pub use params::{PathId, Query};
pub use session::{Caller, SignedIn, Visitor};

/// Routes by which people change things: a session says who asks, a limit how often, and a key how often it counts.
pub fn for_people(
    routes: Router,
    sessions: session::Sessions,
    changes: RateLimit,
    keys: idempotency::Idempotency,
) -> Router {
    let limited = (changes, sessions.clone());
    // All at once: each call of `layer` makes every route a box in a box, all of which a request clones again in each.
    let around = ServiceBuilder::new()
        .layer(Extension(sessions))
        .layer(middleware::from_fn_with_state(limited, limit::limit_changes))
        .layer(middleware::from_fn_with_state(keys, idempotency::honour_key));
    routes.layer(around)
}

/// Whether a request may change something, and does not just look.
fn is_a_change(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}
