//! What a payment is and what may become of it. Pure: no clock, no network, no store.
//!
//! It is public so that the model of the whole saga explores this very code.

mod due;
mod intent;
mod notice;
mod order_news;
mod payment;
mod source;
mod transition;

pub use due::{Call, pause_after};
pub use intent::{Intent, IntentId, IntentStatus};
pub use notice::{Reading, Topic, reading};
pub use order_news::{Concern, completed, concern, confirmed};
pub use payment::{Cause, Closure, End, Failure, Payment, Phase, Refund};
pub use source::{MalformedSource, Source};
pub use transition::{Decision, Input, RefundStatus, next};
