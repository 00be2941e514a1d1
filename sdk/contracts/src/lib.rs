//! The words that BigTix services and clients say to each other: ids, money, problems, REST bodies, events and
//! internal calls. No IO happens here, so everything may depend on this crate.

pub mod api;
pub mod bus;
pub mod events;
pub mod ids;
pub mod internal;
pub mod money;
pub mod network;
pub mod operations;
pub mod problem;

pub use ids::{EventId, OrderId, PaymentId, TicketId, UserId};
pub use money::{Cents, Dollars};
pub use problem::{ErrorCode, ErrorItem, Problem};
