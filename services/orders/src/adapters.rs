//! What the service remembers, and where: `claims` (orders, edits, withdrawals) and `tickets` (copies).

pub(crate) mod claims;
pub(crate) mod copies;
pub(crate) mod documents;
pub(crate) mod orders;

pub(crate) use claims::{Claims, Holder, HolderKind, InsertFate};
pub(crate) use copies::Copies;
pub(crate) use orders::Orders;
