//! The operator: observe -> validate -> next -> build -> apply -> status.
//!
//! Everything between the first step and the last two is pure: it sees what was observed and says what is due.

pub mod apply;
pub mod backups;
pub mod build;
pub mod controller;
pub mod difference;
pub mod election;
pub mod foresight;
pub mod kind;
pub mod names;
pub mod next;
pub mod observe;
mod secret;
pub mod server;
pub mod status;
pub mod traffic;
