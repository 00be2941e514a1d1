//! Times as people read them, in a zone that is named; and as programs read them.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned, civil};

/// A time, ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct When {
    /// For `datetime`: RFC 3339 with the zone's offset.
    pub(crate) machine: String,
    /// Such as `Thu, May 1, 2031`.
    pub(crate) date: String,
    /// Such as `2:30 PM`.
    pub(crate) clock: String,
    /// Such as `CDT` or `UTC+2`: what clocks there show then.
    pub(crate) zone: String,
    /// Such as `America/Chicago`.
    pub(crate) zone_name: String,
    /// Such as `1`, for a leaf of a calendar.
    pub(crate) day: String,
    /// Such as `May`.
    pub(crate) month: String,
}

/// The time in the zone of that IANA name; in UTC where the name is unknown.
pub(crate) fn when(time: Timestamp, zone: &str) -> When {
    let zoned = in_zone(time, zone);
    let offset = zoned.strftime("%:z").to_string();
    let abbreviation = zoned.strftime("%Z").to_string();
    let is_word = abbreviation.chars().all(|c| c.is_ascii_alphabetic());
    When {
        machine: zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
        date: zoned.strftime("%a, %b %-d, %Y").to_string(),
        clock: zoned.strftime("%-I:%M %p").to_string(),
        // Where a zone has no letters of its own, its distance from UTC is what people know.
        zone: if is_word {
            abbreviation
        } else {
            format!("UTC{offset}")
        },
        zone_name: zoned.time_zone().iana_name().unwrap_or("UTC").replace('_', " "),
        day: zoned.strftime("%-d").to_string(),
        month: zoned.strftime("%b").to_string(),
    }
}

/// The day that it is in that zone.
pub(crate) fn day(time: Timestamp, zone: &str) -> civil::Date {
    in_zone(time, zone).date()
}

fn in_zone(time: Timestamp, zone: &str) -> Zoned {
    time.to_zoned(TimeZone::get(zone).unwrap_or(TimeZone::UTC))
}

/// Why a local time is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LocalTimeError {
    NoTime,
    NoZone,
}

/// The moment at which clocks in the zone show this (`2031-05-01T19:30`, as a browser's field gives it). Of an hour that
/// comes twice the first one counts; one that is left out moves on by what was left out.
pub(crate) fn moment(local: &str, zone: &str) -> Result<Timestamp, LocalTimeError> {
    let local: civil::DateTime = local.trim().parse().map_err(|_| LocalTimeError::NoTime)?;
    let zone = TimeZone::get(zone.trim()).map_err(|_| LocalTimeError::NoZone)?;
    let zoned = zone.to_zoned(local).map_err(|_| LocalTimeError::NoTime)?;
    Ok(zoned.timestamp())
}

/// Minutes and seconds until then, such as `14:59`; none once it is over.
pub(crate) fn countdown(now: Timestamp, until: Timestamp) -> Option<String> {
    let left = until.as_second() - now.as_second();
    (left > 0).then(|| format!("{}:{:02}", left / 60, left % 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_events_zone_counts_on_both_sides_of_a_change_of_clocks() {
        let summer = when(at("2031-05-01T19:30:00Z"), "America/Chicago");
        assert_eq!(
            (summer.date.as_str(), summer.clock.as_str()),
            ("Thu, May 1, 2031", "2:30 PM")
        );
        assert_eq!(summer.machine, "2031-05-01T14:30:00-05:00");
        assert_eq!(
            (summer.zone.as_str(), summer.zone_name.as_str()),
            ("CDT", "America/Chicago")
        );
        let winter = when(at("2031-12-01T19:30:00Z"), "America/Chicago");
        assert_eq!((winter.clock.as_str(), winter.zone.as_str()), ("1:30 PM", "CST"));
    }

    #[test]
    fn a_zone_without_letters_is_named_by_its_distance() {
        let there = when(at("2031-05-01T19:30:00Z"), "America/Sao_Paulo");
        assert_eq!(
            (there.zone.as_str(), there.zone_name.as_str()),
            ("UTC-03:00", "America/Sao Paulo")
        );
        assert_eq!(when(at("2031-05-01T19:30:00Z"), "Nowhere/At_All").zone, "UTC");
    }

    #[test]
    fn a_day_is_the_day_there() {
        let late = at("2031-05-01T23:30:00Z");
        assert_eq!(day(late, "Asia/Tokyo").to_string(), "2031-05-02");
        assert_eq!(day(late, "America/Chicago").to_string(), "2031-05-01");
    }

    #[test]
    fn a_local_time_is_read_in_its_zone() {
        assert_eq!(
            moment("2031-05-01T19:30", "Europe/Berlin"),
            Ok(at("2031-05-01T17:30:00Z"))
        );
        assert_eq!(moment("soon", "Europe/Berlin"), Err(LocalTimeError::NoTime));
        assert_eq!(moment("2031-05-01T19:30", "Berlin"), Err(LocalTimeError::NoZone));
    }

    #[test]
    fn what_is_left_is_counted_in_minutes_and_seconds() {
        let now = at("2031-05-01T19:30:00Z");
        assert_eq!(
            countdown(now, at("2031-05-01T19:45:00Z")).as_deref(),
            Some("15:00")
        );
        assert_eq!(
            countdown(now, at("2031-05-01T19:30:09Z")).as_deref(),
            Some("0:09")
        );
        assert_eq!(countdown(now, now), None);
    }
}
