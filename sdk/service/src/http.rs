//! How every service speaks HTTP: one error type, one way to read a body, one session check.

pub mod body;
pub mod description;
pub mod error;
pub mod fields;
pub mod idempotency;
pub mod keys;
pub mod observe;
pub mod operations;
pub mod page;
pub mod params;
pub mod session;

pub use body::JsonBody;
pub use error::ApiError;
pub use fields::Fields;
pub use page::{Cursor, Page};
pub use params::{PathId, Query};
pub use session::{Caller, SignedIn, Visitor};
