//! When a rollout may begin.

use std::str::FromStr;

use bigtix_crds::platform::Window;
use croner::Cron;
use k8s_openapi::jiff::{SignedDuration, Timestamp, Zoned, tz::TimeZone};

/// Whether any of the windows is open; none at all means always.
#[must_use]
pub(super) fn is_open(windows: &[Window], now: Timestamp) -> bool {
    windows.is_empty() || windows.iter().any(|window| covers(window, now) == Some(true))
}

/// When the next of them opens; none when none ever does.
#[must_use]
pub(super) fn opens_at(windows: &[Window], now: Timestamp) -> Option<Timestamp> {
    windows
        .iter()
        .filter_map(|window| {
            let (start, now) = parts(window, now)?;
            start.find_next_occurrence(&now, false).ok()
        })
        .map(|start| start.timestamp())
        .min()
}

/// A window that was opened last not longer ago than it is long.
fn covers(window: &Window, now: Timestamp) -> Option<bool> {
    let (start, zoned) = parts(window, now)?;
    let opened = start.find_previous_occurrence(&zoned, true).ok()?;
    let since = now.duration_since(opened.timestamp());
    let length = SignedDuration::try_from(window.duration).ok()?;
    Some(since < length)
}

/// The resource was accepted, so neither is missing.
fn parts(window: &Window, now: Timestamp) -> Option<(Cron, Zoned)> {
    let start = Cron::from_str(window.start.as_str()).ok()?;
    let zone = TimeZone::get(&window.time_zone).ok()?;
    Some((start, now.to_zoned(zone)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bigtix_crds::{from_value, validate};
    use serde_json::json;

    /// On Sundays from two to four in Berlin.
    fn sundays() -> Vec<Window> {
        let resource = from_value(json!({
            "apiVersion": "bigtix.dev/v1alpha1", "kind": "BigTix", "metadata": {"name": "shop"},
            "spec": {"version": "1.0.0", "upgrade": {"windows": [
                {"start": "0 2 * * 0", "durationMinutes": 120, "timeZone": "Europe/Berlin"},
            ]}},
        }))
        .expect("a resource");
        validate(&resource).expect("a platform").upgrade.windows
    }

    fn at(time: &str) -> Timestamp {
        time.parse().expect("a time")
    }

    #[test]
    fn a_window_is_open_from_its_start_for_as_long_as_it_says() {
        let windows = sundays();
        for (time, open) in [
            ("2026-01-11T00:59:59Z", false),
            ("2026-01-11T01:00:00Z", true),
            ("2026-01-11T02:59:59Z", true),
            ("2026-01-11T03:00:00Z", false),
            ("2026-01-12T01:30:00Z", false),
            // In summer two o'clock in Berlin is another time.
            ("2026-07-12T00:00:00Z", true),
            ("2026-07-12T02:00:00Z", false),
        ] {
            assert_eq!(is_open(&windows, at(time)), open, "{time}");
        }
        assert!(is_open(&[], at("2026-01-12T01:30:00Z")));
    }

    #[test]
    fn a_window_in_an_hour_that_does_not_exist_opens_all_the_same() {
        // Clocks are put forward from two to three.
        assert!(is_open(&sundays(), at("2026-03-29T01:30:00Z")));
    }

    #[test]
    fn the_next_start_is_named() {
        let next = opens_at(&sundays(), at("2026-01-11T01:00:00Z"));
        assert_eq!(next, Some(at("2026-01-18T01:00:00Z")));
    }
}
