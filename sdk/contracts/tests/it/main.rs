//! Released event shapes: each file in `fixtures/events` must parse for ever, and mean what it meant.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use bigtix_contracts::events::{
    Aggregate, Envelope, OrderState, PaymentState, TicketState, TimerState, UserState,
};
use serde_json::Value;

fn fixtures() -> BTreeMap<String, String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/events");
    let files = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    files
        .map(|path| {
            (
                path.file_stem().unwrap().to_string_lossy().into_owned(),
                std::fs::read_to_string(path).unwrap(),
            )
        })
        .collect()
}

/// What the envelope says of itself follows from its state, and nothing that was released is lost on the way.
fn check<T: Aggregate>(name: &str, text: &str) {
    let read: Envelope<T> =
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{name} does not parse: {error}"));
    let Envelope {
        id,
        event_type,
        version,
        occurred_at,
        producer,
        traceparent,
        data,
    } = read.clone();
    let made = Envelope::new(data, version, occurred_at, traceparent);
    assert_eq!(
        (id, event_type, producer),
        (made.id.clone(), made.event_type.clone(), made.producer.clone()),
        "{name}"
    );
    let (old, new): (Value, Value) = (
        serde_json::from_str(text).unwrap(),
        serde_json::to_value(&made).unwrap(),
    );
    for (field, value) in old["data"].as_object().unwrap() {
        assert_eq!(new["data"].get(field), Some(value), "{name} lost {field}");
    }
    assert!(
        name.starts_with(&format!("{}.{}.", T::PRODUCER, T::KIND)),
        "{name} is not called after its subject"
    );
}

#[test]
fn every_released_event_parses_and_keeps_its_meaning() {
    let fixtures = fixtures();
    assert!(fixtures.len() >= 16);
    for (name, text) in &fixtures {
        match name.split('.').next().unwrap() {
            "auth" => check::<UserState>(name, text),
            "tickets" => check::<TicketState>(name, text),
            "orders" => check::<OrderState>(name, text),
            "payments" => check::<PaymentState>(name, text),
            "expiration" => check::<TimerState>(name, text),
            other => panic!("no producer is called {other}"),
        }
    }
}

#[test]
fn a_field_of_a_later_release_is_ignored() {
    let text = &fixtures()["orders.order.created.1"];
    let mut later: Value = serde_json::from_str(text).unwrap();
    later["data"]["loyaltyPoints"] = 7.into();
    later["schema"] = 2.into();
    let read: Envelope<OrderState> = serde_json::from_value(later).unwrap();
    assert_eq!(read, serde_json::from_str(text).unwrap());
}
