//! What a run says of itself while it goes on: a line a second, on standard error, so that standard output has the
//! result alone.

use std::cell::RefCell;
use std::convert::Infallible;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::tally::Tally;

const EVERY: Duration = Duration::from_secs(1);

/// Counts at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counts {
    done: u64,
    refused: u64,
    troubled: u64,
}

impl Counts {
    fn of(tally: &Tally) -> Self {
        Self {
            done: tally.done,
            refused: tally.refusals(),
            troubled: tally.failed + tally.unknown,
        }
    }
}

/// Says every second how far a run of so long is.
pub(super) async fn tell(name: &str, duration: Duration, tally: &RefCell<Tally>) -> Infallible {
    let began = Instant::now();
    let mut ticks = interval_at(began + EVERY, EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let (mut before, mut since) = (Counts::default(), began);
    loop {
        let now = ticks.tick().await;
        let (counts, p99) = {
            let tally = tally.borrow();
            (Counts::of(&tally), tally.latency.milliseconds(0.99))
        };
        let line = line(now - began, duration, now - since, before, counts, p99);
        eprintln!("  {name}: {line}");
        (before, since) = (counts, now);
    }
}

fn line(
    elapsed: Duration,
    of: Duration,
    since: Duration,
    before: Counts,
    now: Counts,
    p99: Option<f64>,
) -> String {
    let rate = |now: u64, before: u64| (now - before) as f64 / since.as_secs_f64();
    let p99 = p99.map(|p99| format!(", p99 {p99:.0} ms")).unwrap_or_default();
    let troubled = match now.troubled {
        0 => String::new(),
        count => format!(", {count} went wrong"),
    };
    format!(
        "{:.0} of {:.0} s, {} done, {:.0}/s now, {} refused, {:.0}/s now{p99}{troubled}",
        elapsed.as_secs_f64(),
        of.as_secs_f64(),
        now.done,
        rate(now.done, before.done),
        now.refused,
        rate(now.refused, before.refused),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_the_last_second_did() {
        let second = Duration::from_secs(1);
        let (before, mut now) = (
            Counts {
                done: 100,
                refused: 0,
                troubled: 0,
            },
            Counts {
                done: 350,
                refused: 20,
                troubled: 0,
            },
        );
        assert_eq!(
            line(second * 3, second * 10, second * 2, before, now, Some(41.7)),
            "3 of 10 s, 350 done, 125/s now, 20 refused, 10/s now, p99 42 ms"
        );
        now.troubled = 2;
        assert!(line(second, second, second, before, now, None).ends_with(", 2 went wrong"));
    }
}
