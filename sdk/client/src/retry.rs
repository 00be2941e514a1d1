//! Whether a call that failed is made again, and when.

use std::time::Duration;

use crate::ClientError;

/// How often a call is made in all.
const ATTEMPTS: u32 = 4;
const FIRST_WAIT: Duration = Duration::from_millis(50);
/// The longest that a client lets its caller wait between two attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// How long to wait before the call is made again; `None` when its failure is final. `attempt` counts from 1, `spread`
/// is from 0 to 1: clients that failed together must not come back together.
pub(crate) fn wait(repeatable: bool, attempt: u32, failure: &ClientError, spread: f64) -> Option<Duration> {
    if !repeatable || attempt >= ATTEMPTS {
        return None;
    }
    let backoff = FIRST_WAIT * 2_u32.pow(attempt) / 2;
    let backoff = backoff.mul_f64(0.5 + spread / 2.0);
    match failure {
        ClientError::Problem {
            status: 503,
            retry_after,
            ..
        } => Some(retry_after.unwrap_or(backoff).max(backoff).min(LONGEST_WAIT)),
        ClientError::Decode { status: 503, .. } => Some(backoff),
        ClientError::Network { source } if !source.is_builder() => Some(backoff),
        ClientError::Problem { .. } | ClientError::Decode { .. } | ClientError::Network { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use bigtix_contracts::{ErrorCode, Problem};

    use super::*;

    fn refusal(status: u16, retry_after: Option<Duration>) -> ClientError {
        let problem = Box::new(Problem::new(ErrorCode::Unavailable, "Not now"));
        ClientError::Problem {
            status,
            problem,
            retry_after,
            request_id: None,
        }
    }

    #[test]
    fn only_what_is_repeatable_and_unavailable_is_repeated() {
        assert!(wait(true, 1, &refusal(503, None), 0.0).is_some());
        assert_eq!(wait(false, 1, &refusal(503, None), 0.0), None);
        for status in [400, 401, 402, 404, 409, 422, 429, 500, 502] {
            assert_eq!(wait(true, 1, &refusal(status, None), 0.0), None, "{status}");
        }
    }

    #[test]
    fn it_is_given_up_after_four_attempts() {
        let waits = (1..=5).map(|attempt| wait(true, attempt, &refusal(503, None), 1.0));
        let millis: Vec<Option<u128>> = waits.map(|wait| wait.map(|wait| wait.as_millis())).collect();
        assert_eq!(millis, [Some(50), Some(100), Some(200), None, None]);
    }

    #[test]
    fn retry_after_is_obeyed_within_reason() {
        let second = Duration::from_secs(1);
        assert_eq!(wait(true, 1, &refusal(503, Some(second)), 0.0), Some(second));
        assert_eq!(
            wait(true, 1, &refusal(503, Some(second * 3600)), 0.0),
            Some(LONGEST_WAIT)
        );
    }
}
