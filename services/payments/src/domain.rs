//! What a payment is and what may become of it. Pure: no clock, no network, no store.

mod due;
mod intent;
mod payment;
mod source;
mod transition;

pub(crate) use due::{Call, pause_after};
pub(crate) use intent::{Intent, IntentId, IntentStatus};
pub(crate) use payment::{Cause, Closure, End, Failure, Payment, Phase, Refund};
pub(crate) use source::Source;
pub(crate) use transition::{Decision, Input, RefundStatus, next};
