//! An event of the catalogue.

use bigtix_contracts::api::tickets::Event;
use bigtix_contracts::events::EventSummary;
use bigtix_contracts::{EventId, UserId};
use jiff::Timestamp;
use jiff::tz::TimeZoneDatabase;
use sha2::{Digest, Sha256};

/// The longest title, venue or city.
pub(crate) const LONGEST_NAME: usize = 125;
/// The longest address of a picture.
pub(crate) const LONGEST_IMAGE: usize = 2_000;
/// Whom an event belongs to that is looked at before anybody has imported it.
const NOBODY: UserId = UserId::from_bytes([0; 12]);

/// What is known of an event before it is in the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EventDraft {
    pub(crate) title: String,
    pub(crate) venue: String,
    pub(crate) city: String,
    pub(crate) starts_at: Timestamp,
    pub(crate) time_zone: String,
    pub(crate) image: Option<String>,
    pub(crate) description: String,
}

impl EventDraft {
    /// The event that the draft becomes.
    pub(crate) fn add(self, id: EventId, user_id: UserId, tm_event_id: Option<String>) -> Event {
        let Self {
            title,
            venue,
            city,
            starts_at,
            time_zone,
            image,
            description,
        } = self;
        Event {
            id,
            title,
            venue,
            city,
            starts_at,
            time_zone,
            image,
            description,
            user_id,
            tm_event_id,
        }
    }

    /// The event as it would be if somebody imported it.
    pub(crate) fn preview(self, tm_event_id: &str) -> Event {
        self.add(imported_id(tm_event_id), NOBODY, Some(tm_event_id.to_owned()))
    }
}

/// The id that the provider's event gets here, whoever imports it.
pub(crate) fn imported_id(tm_event_id: &str) -> EventId {
    let digest = Sha256::new()
        .chain_update("ticketmaster:")
        .chain_update(tm_event_id)
        .finalize();
    let mut id = [0; 12];
    id.copy_from_slice(&digest[..12]);
    EventId::from_bytes(id)
}

/// The part of an event that a ticket shows.
pub(crate) fn summary(event: &Event) -> EventSummary {
    EventSummary {
        id: event.id,
        title: event.title.clone(),
        venue: event.venue.clone(),
        city: event.city.clone(),
        starts_at: event.starts_at,
        time_zone: event.time_zone.clone(),
    }
}

/// The IANA name as it is written, if there is such a zone.
pub(crate) fn time_zone_name(name: &str) -> Option<String> {
    TimeZoneDatabase::bundled()
        .get(name)
        .ok()?
        .iana_name()
        .filter(|name| *name != "Etc/Unknown")
        .map(str::to_owned)
}

/// An RFC 3339 time, to the millisecond, as the store keeps it.
pub(crate) fn parse_time(text: &str) -> Option<Timestamp> {
    let has_date_and_time = text
        .get(10..11)
        .is_some_and(|separator| separator.eq_ignore_ascii_case("t"));
    let is_plain = has_date_and_time && !text.contains(['[', ' ']);
    let time: Timestamp = text.parse().ok().filter(|_| is_plain)?;
    Timestamp::from_millisecond(time.as_millisecond()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_zones_have_iana_names() {
        assert_eq!(time_zone_name("Europe/Berlin").as_deref(), Some("Europe/Berlin"));
        assert_eq!(time_zone_name("europe/berlin").as_deref(), Some("Europe/Berlin"));
        for name in ["", "Berlin", "+02:00", "Europe/Atlantis", "CEST", "../etc/passwd"] {
            assert_eq!(time_zone_name(name), None, "{name}");
        }
    }

    #[test]
    fn times_are_rfc_3339() {
        let time = parse_time("2030-06-01T19:30:00.1234567+02:00").unwrap();
        assert_eq!(time.to_string(), "2030-06-01T17:30:00.123Z");
        for text in [
            "",
            "soon",
            "2030-06-01",
            "2030-06-01T19:30:00",
            "2030-06-01 19:30:00Z",
            "2030-06-01T19:30:00Z[UTC]",
            "1e9",
        ] {
            assert_eq!(parse_time(text), None, "{text}");
        }
    }

    #[test]
    fn an_imported_event_has_one_id() {
        assert_eq!(imported_id("G5v0Z9"), imported_id("G5v0Z9"));
        assert_ne!(imported_id("G5v0Z9"), imported_id("G5v0Z8"));
    }
}
