//! How to be a BigTix service.
//!
//! A service crate exposes `Config`, `service()` and `openapi()`; this crate turns that into a process (or a task of
//! one) that starts, becomes ready, drains and stops. [`lifecycle`] is the one place where that order is written.

pub mod admission;
mod allocator;
pub mod clock;
pub mod config;
pub mod crowd;
pub mod dead_letters;
pub mod http;
pub mod inbox;
pub mod internal;
pub mod lease;
pub mod lifecycle;
pub mod mongo;
pub mod nats;
pub mod outbox;
pub mod rate;
pub mod redis;
pub mod telemetry;
pub mod tls;
mod trace;

pub use admission::Strain;
pub use config::{Secret, Settings};
pub use lifecycle::{Listen, Running, Service, StartContext, StartError, main, version_in};
