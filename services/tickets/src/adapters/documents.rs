//! Tickets and events as MongoDB documents.

use bigtix_contracts::api::tickets::{Event, TicketStatus};
use bigtix_contracts::events::{Envelope, EventSummary, TicketState};
use bigtix_contracts::{Cents, EventId, OrderId, TicketId, UserId};
use bigtix_service::mongo::{from_bson_time, to_bson_time, to_object_id};
use bigtix_service::outbox::ReadError;
use bson::{Bson, Document, doc};
use jiff::Timestamp;

use crate::domain::hold::is_open;
use crate::domain::ticket::Ticket;
use crate::domain::words::words;

/// The word under which a status is stored.
pub(crate) fn status_word(status: TicketStatus) -> &'static str {
    match status {
        TicketStatus::Available => "available",
        TicketStatus::Reserved => "reserved",
        TicketStatus::Sold => "sold",
        TicketStatus::Withdrawn => "withdrawn",
    }
}

/// The status with this word.
pub(crate) fn read_status(word: &str) -> Option<TicketStatus> {
    use TicketStatus::{Available, Reserved, Sold, Withdrawn};
    [Available, Reserved, Sold, Withdrawn]
        .into_iter()
        .find(|status| status_word(*status) == word)
}

/// The document of a ticket that has just been listed.
pub(crate) fn new_ticket(state: &TicketState, traceparent: Option<&str>) -> Document {
    let TicketState {
        id,
        user_id,
        title: _,
        price: _,
        description: _,
        serial_number,
        event_id,
        event,
        withdrawn,
        created_at,
    } = state;
    let mut document = doc! {
        "_id": to_object_id(id.bytes()),
        "userId": to_object_id(user_id.bytes()),
        "serialNumber": serial_number,
        "eventId": event_id.as_deref(),
        "event": event.as_ref().map(write_summary),
        "withdrawn": *withdrawn,
        "createdAt": to_bson_time(*created_at),
        "version": 0_i64,
        "status": status_word(TicketStatus::Available),
        "orderId": Bson::Null,
        "open": is_open(TicketStatus::Available),
    };
    document.extend(changed_fields(state, *created_at, traceparent));
    document
}

/// What a change of a ticket sets, but for the version and the withdrawal.
pub(crate) fn changed_fields(state: &TicketState, now: Timestamp, traceparent: Option<&str>) -> Document {
    doc! {
        "title": &state.title,
        "price": state.price.0,
        "description": &state.description,
        "words": ticket_words(state),
        "updatedAt": to_bson_time(now),
        "traceparent": traceparent,
    }
}

fn ticket_words(state: &TicketState) -> Vec<String> {
    let event = state.event.as_ref();
    let of_event = event
        .into_iter()
        .flat_map(|event| [&event.title, &event.venue, &event.city]);
    let texts = [&state.title, &state.description].into_iter().chain(of_event);
    words(texts.map(String::as_str)).into_iter().collect()
}

fn write_summary(event: &EventSummary) -> Document {
    let EventSummary {
        id,
        title,
        venue,
        city,
        starts_at,
        time_zone,
    } = event;
    doc! {
        "id": to_object_id(id.bytes()),
        "title": title,
        "venue": venue,
        "city": city,
        "startsAt": to_bson_time(*starts_at),
        "timeZone": time_zone,
    }
}

/// Fields of a document; one that is missing or of another type is an error.
struct Reader<'d>(&'d Document);

fn unfit(error: impl std::fmt::Display) -> ReadError {
    ReadError(error.to_string())
}

impl Reader<'_> {
    fn text(&self, name: &str) -> Result<String, ReadError> {
        self.0.get_str(name).map(str::to_owned).map_err(unfit)
    }

    fn optional_text(&self, name: &str) -> Option<String> {
        self.0.get_str(name).ok().map(str::to_owned)
    }

    fn id(&self, name: &str) -> Result<[u8; 12], ReadError> {
        self.0.get_object_id(name).map(|id| id.bytes()).map_err(unfit)
    }

    fn whole(&self, name: &str) -> Result<i64, ReadError> {
        self.0.get_i64(name).map_err(unfit)
    }

    fn time(&self, name: &str) -> Result<Timestamp, ReadError> {
        self.0
            .get_datetime(name)
            .map(|time| from_bson_time(*time))
            .map_err(unfit)
    }
}

/// The ticket that a document stands for.
pub(crate) fn read_ticket(document: &Document) -> Result<Ticket, ReadError> {
    let status = document.get_str("status").map_err(unfit)?;
    Ok(Ticket {
        state: read_state(document)?,
        version: Reader(document).whole("version")?,
        status: read_status(status).ok_or_else(|| unfit(format!("{status} is no status")))?,
        order_id: document
            .get_object_id("orderId")
            .ok()
            .map(|id| OrderId::from_bytes(id.bytes())),
    })
}

fn read_state(document: &Document) -> Result<TicketState, ReadError> {
    let fields = Reader(document);
    Ok(TicketState {
        id: TicketId::from_bytes(fields.id("_id")?),
        user_id: UserId::from_bytes(fields.id("userId")?),
        title: fields.text("title")?,
        price: Cents(fields.whole("price")?),
        description: fields.text("description")?,
        serial_number: fields.text("serialNumber")?,
        event_id: fields.optional_text("eventId"),
        event: document
            .get_document("event")
            .ok()
            .map(read_summary)
            .transpose()?,
        withdrawn: document.get_bool("withdrawn").map_err(unfit)?,
        created_at: fields.time("createdAt")?,
    })
}

fn read_summary(document: &Document) -> Result<EventSummary, ReadError> {
    let fields = Reader(document);
    Ok(EventSummary {
        id: EventId::from_bytes(fields.id("id")?),
        title: fields.text("title")?,
        venue: fields.text("venue")?,
        city: fields.text("city")?,
        starts_at: fields.time("startsAt")?,
        time_zone: fields.text("timeZone")?,
    })
}

/// The event on the bus that a ticket's document stands for.
pub(crate) fn read_envelope(document: &Document) -> Result<Envelope<TicketState>, ReadError> {
    let fields = Reader(document);
    let traceparent = fields.optional_text("traceparent");
    Ok(Envelope::new(
        read_state(document)?,
        fields.whole("version")?,
        fields.time("updatedAt")?,
        traceparent,
    ))
}

/// The document of an event that has just come into the catalogue.
pub(crate) fn new_event(event: &Event, now: Timestamp) -> Document {
    let Event {
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
    } = event;
    let texts = [title, venue, city, description];
    doc! {
        "_id": to_object_id(id.bytes()),
        "title": title,
        "venue": venue,
        "city": city,
        "startsAt": to_bson_time(*starts_at),
        "timeZone": time_zone,
        "image": image.as_deref(),
        "description": description,
        "userId": to_object_id(user_id.bytes()),
        "tmEventId": tm_event_id.as_deref(),
        "createdAt": to_bson_time(now),
        "words": words(texts.map(String::as_str)).into_iter().collect::<Vec<_>>(),
    }
}

/// The event of the catalogue that a document stands for.
pub(crate) fn read_event(document: &Document) -> Result<Event, ReadError> {
    let fields = Reader(document);
    Ok(Event {
        id: EventId::from_bytes(fields.id("_id")?),
        title: fields.text("title")?,
        venue: fields.text("venue")?,
        city: fields.text("city")?,
        starts_at: fields.time("startsAt")?,
        time_zone: fields.text("timeZone")?,
        image: fields.optional_text("image"),
        description: fields.text("description")?,
        user_id: UserId::from_bytes(fields.id("userId")?),
        tm_event_id: fields.optional_text("tmEventId"),
    })
}

/// When an event came into the catalogue.
pub(crate) fn added_at(document: &Document) -> Result<Timestamp, ReadError> {
    Reader(document).time("createdAt")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> TicketState {
        let summary = EventSummary {
            id: EventId::from_bytes([3; 12]),
            title: "Symphony".into(),
            venue: "Town Hall".into(),
            city: "Springfield".into(),
            starts_at: "2030-06-01T17:30:00Z".parse().unwrap(),
            time_zone: "Europe/Berlin".into(),
        };
        TicketState {
            id: TicketId::from_bytes([1; 12]),
            user_id: UserId::from_bytes([2; 12]),
            title: "Row 5".into(),
            price: Cents(1999),
            description: "Near the aisle".into(),
            serial_number: "S-1".into(),
            event_id: Some(summary.id.to_string()),
            event: Some(summary),
            withdrawn: false,
            created_at: "2030-01-01T00:00:00.123Z".parse().unwrap(),
        }
    }

    #[test]
    fn a_ticket_is_read_as_it_was_written() {
        let document = new_ticket(&state(), Some("00-trace"));
        let ticket = read_ticket(&document).unwrap();
        let expected = Ticket {
            state: state(),
            version: 0,
            status: TicketStatus::Available,
            order_id: None,
        };
        assert_eq!(ticket, expected);
        let envelope = read_envelope(&document).unwrap();
        assert_eq!(
            (envelope.event_type.as_str(), envelope.data),
            ("ticket.created", state())
        );
        assert_eq!(envelope.traceparent.as_deref(), Some("00-trace"));
    }

    #[test]
    fn a_search_finds_the_events_words_too() {
        let found = ticket_words(&state());
        for word in ["row", "5", "aisle", "symphony", "town", "springfield"] {
            assert!(found.iter().any(|each| each == word), "{word}");
        }
    }
}
