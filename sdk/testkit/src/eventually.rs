//! Waiting for a state. The only file of the workspace that lets time pass.

use std::time::Duration;

use tokio::time::Instant;

/// How long [`eventually`] waits before it gives up.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// How long [`eventually`] waits between two looks.
pub const INTERVAL: Duration = Duration::from_millis(20);

/// Looks every 20 ms until `look` answers, and returns that answer.
///
/// # Panics
/// After 20 seconds without an answer, saying `what` was awaited.
pub async fn eventually<T>(what: &str, look: impl AsyncFnMut() -> Option<T>) -> T {
    match poll(look, DEADLINE, INTERVAL).await {
        Some(answer) => answer,
        None => panic!("waited {DEADLINE:?} in vain for: {what}"),
    }
}

/// How long [`let_in`] waits before it asks again, which is what a service asks for. Who asks more often is the overload.
const AGAIN: Duration = Duration::from_secs(1);

/// How long [`let_in`] goes on asking.
const LET_IN_DEADLINE: Duration = Duration::from_secs(60);

/// Why a service that is past its capacity refuses a request.
const PAST_CAPACITY: &str = "Too many requests at once; nothing happened, try again";

/// Whether an answer says that the service was past its capacity, and nothing happened.
pub fn is_past_capacity(status: u16, body: &serde_json::Value) -> bool {
    status == 503 && body["message"] == PAST_CAPACITY
}

/// Asks, and comes again for as long as the service is past its capacity, as everybody is told to. On a machine that has
/// much else to do, a crowd of a test may be more than can be served at once.
///
/// Returns the refusal itself after a minute of them.
pub async fn let_in<A, F: Future<Output = A>>(ask: impl Fn() -> F, is_refused: impl Fn(&A) -> bool) -> A {
    let give_up = Instant::now() + LET_IN_DEADLINE;
    loop {
        let answer = ask().await;
        if !is_refused(&answer) || Instant::now() >= give_up {
            return answer;
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// One look more than fits into `deadline`, so that a state that comes just in time is seen.
async fn poll<T>(
    mut look: impl AsyncFnMut() -> Option<T>,
    deadline: Duration,
    interval: Duration,
) -> Option<T> {
    let give_up = Instant::now() + deadline;
    loop {
        // A look that hangs must not outlive the deadline.
        let left = give_up.saturating_duration_since(Instant::now()).max(interval);
        if let Ok(Some(answer)) = tokio::time::timeout(left, look()).await {
            return Some(answer);
        }
        if Instant::now() >= give_up {
            return None;
        }
        tokio::time::sleep(interval).await;
    }
}

/// Simulated latency: a double that was told to be slow, late or to try again is slow, late or tries again.
pub(crate) async fn elapse(duration: Duration) {
    tokio::time::sleep(duration).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(5);

    #[tokio::test]
    async fn the_first_answer_is_returned() {
        let mut looks = 0;
        let answer = eventually("three looks", async || {
            looks += 1;
            (looks == 3).then_some(looks)
        })
        .await;
        assert_eq!(answer, 3);
    }

    #[tokio::test]
    async fn nothing_is_returned_after_the_deadline() {
        assert_eq!(poll(async || None::<()>, SHORT, SHORT).await, None);
    }

    #[tokio::test]
    async fn a_look_that_hangs_does_not_outlive_the_deadline() {
        assert_eq!(
            poll(async || std::future::pending::<Option<()>>().await, SHORT, SHORT).await,
            None
        );
    }
}
