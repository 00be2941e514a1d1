//! Bodies of the REST API's answers, shared by the services that write them and the clients that read them.

pub mod auth;
pub mod orders;
pub mod payments;
pub mod tickets;
