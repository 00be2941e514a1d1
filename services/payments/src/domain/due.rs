//! Which foreign call a payment waits for, and how patiently.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Failure, Payment, Phase};

/// Stripe forgets an idempotency key after a day: a create that is repeated later could charge twice.
const KEY_LIFETIME: SignedDuration = SignedDuration::from_hours(23);
/// How long an attempt that Stripe never explained is looked for after it was given up.
const WATCH: SignedDuration = SignedDuration::from_hours(24);

const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
const FIRST_LOOK: Duration = Duration::from_secs(2);
const WATCH_PAUSE: Duration = Duration::from_secs(10 * 60);

/// A foreign call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    /// Stripe: create and confirm the intent, key `<id>:create`.
    Create,
    /// Stripe: read the intent, which the bank has not decided.
    Retrieve,
    /// Stripe and orders: has the bank answered, is the order still open?
    LookAtAction,
    /// orders: confirm.
    Confirm,
    /// Stripe: capture.
    Capture,
    /// orders: complete.
    Complete,
    /// Stripe: find the intent, by making it if need be, because only an intent that exists can be cancelled.
    Find,
    /// Stripe: cancel.
    Cancel,
    /// orders: fail.
    Fail,
    /// Stripe: refund, key `<id>:refund`.
    Refund,
    /// Stripe: read the refund, which is on its way.
    ReadRefund,
    /// orders: refund.
    TellRefund,
    /// Stripe: has an attempt that was given up left an intent after all?
    Watch,
}

impl Call {
    /// Whether it only looks, so that it is made from time to time and not at once.
    pub fn is_a_look(self) -> bool {
        match self {
            Self::LookAtAction | Self::Watch => true,
            Self::Create
            | Self::Retrieve
            | Self::Confirm
            | Self::Capture
            | Self::Complete
            | Self::Find
            | Self::Cancel
            | Self::Fail
            | Self::Refund
            | Self::ReadRefund
            | Self::TellRefund => false,
        }
    }
}

/// How long to wait before `call` is made again, after `attempts` that settled nothing.
pub fn pause_after(call: Call, attempts: u32) -> Duration {
    let doubled = |first: Duration| first.saturating_mul(1 << attempts.min(16)).min(LONGEST_PAUSE);
    match call {
        Call::Watch => WATCH_PAUSE,
        Call::LookAtAction => doubled(FIRST_LOOK),
        _ => doubled(SHORTEST_PAUSE),
    }
}

impl Payment {
    /// The call that is due.
    pub fn due(&self, now: Timestamp) -> Option<Call> {
        match &self.phase {
            Phase::Creating if self.intent.is_some() => Some(Call::Retrieve),
            Phase::Creating => Some(Call::Create),
            Phase::RequiresAction => Some(Call::LookAtAction),
            Phase::Authorised => Some(Call::Confirm),
            Phase::Capturing => Some(Call::Capture),
            Phase::Captured => Some(Call::Complete),
            Phase::Voiding(_) if self.intent.is_some() => Some(Call::Cancel),
            Phase::Voiding(_) => Some(Call::Find),
            Phase::Lapsed(_) => Some(Call::Fail),
            Phase::Refunding(_) if self.refund_id.is_some() => Some(Call::ReadRefund),
            Phase::Refunding(_) => Some(Call::Refund),
            Phase::Returned(_) => Some(Call::TellRefund),
            Phase::Failed(Failure::Provider) | Phase::Cancelled(_)
                if self.intent.is_none() && now.duration_since(self.created_at) < WATCH =>
            {
                Some(Call::Watch)
            }
            Phase::Succeeded | Phase::Failed(_) | Phase::Cancelled(_) | Phase::Refunded(_) => None,
        }
    }

    /// Whether Stripe still knows the key of the first create, so that repeating it cannot charge twice.
    pub fn create_is_safe(&self, now: Timestamp) -> bool {
        now.duration_since(self.created_at) < KEY_LIFETIME
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_limit() {
        assert_eq!(pause_after(Call::Capture, 0), SHORTEST_PAUSE);
        assert_eq!(pause_after(Call::Capture, 3), SHORTEST_PAUSE * 8);
        assert_eq!(pause_after(Call::Capture, u32::MAX), LONGEST_PAUSE);
        assert_eq!(pause_after(Call::LookAtAction, 0), FIRST_LOOK);
        assert_eq!(pause_after(Call::Watch, 9), WATCH_PAUSE);
    }
}
