//! The shop from outside. The suites beside this crate run the built program `bigtix up` and talk to it as browsers,
//! scripts and clients do; nothing here looks into a store, but for [`faults`], which reads the store's own history
//! afterwards, and [`mod@bench`], which measures bare stores and makes shops large.
//!
//! * [`shop`]: a running shop, in one process or with two processes of every service.
//! * [`suite`]: scenarios by name, each run against each way in which the shop is started.
//! * [`world`]: what a scenario has in hand: people, tickets, raw requests.
//! * [`ask`]: one request without any client's help, and what the contract demands of every answer.
//! * [`stripe`]: what a buyer's browser and Stripe itself do.
//! * [`load`]: many buyers at once; [`mod@bench`]: how fast the shop is for them.

pub mod ask;
pub mod bench;
pub mod book;
pub mod cluster;
pub mod faults;
pub mod load;
pub mod shop;
pub mod stripe;
pub mod suite;
pub mod tools;
pub mod world;

pub use ask::{Answer, Ask};
pub use shop::{Mode, Shop};
pub use world::{Person, World};
