//! What the service remembers, and where: `claims` (orders, edits, withdrawals) and `tickets` (copies), in each partition.

pub(crate) mod claims;
pub(crate) mod copies;
pub(crate) mod documents;
pub(crate) mod memberships;
pub(crate) mod orders;
pub(crate) mod places;

pub(crate) use claims::{Claims, Holder, HolderKind, InsertFate};
pub(crate) use copies::Copies;
pub(crate) use orders::Orders;
pub(crate) use places::Places;
