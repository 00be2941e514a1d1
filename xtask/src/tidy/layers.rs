//! The layers inside a service: `domain` <- `app` <- `adapters`, `http`, `events`. Arrows point inward only.

use super::Finding;
use super::mentions::{self, Mention};
use super::rust_files::RustFile;

#[derive(Clone, Copy)]
enum Layer {
    Domain,
    App,
    Adapters,
    Http,
    Events,
}

impl Layer {
    fn of(file: &RustFile) -> Option<Self> {
        if !file.path.starts_with("services/") {
            return None;
        }
        match file.below_src().first()?.trim_end_matches(".rs") {
            "domain" => Some(Self::Domain),
            "app" => Some(Self::App),
            "adapters" => Some(Self::Adapters),
            "http" => Some(Self::Http),
            "events" => Some(Self::Events),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Domain => "domain",
            Self::App => "app",
            Self::Adapters => "adapters",
            Self::Http => "http",
            Self::Events => "events",
        }
    }

    /// Paths that the layer may not mention.
    const fn forbidden(self) -> &'static [&'static str] {
        match self {
            Self::Domain => &[
                "tokio",
                "axum",
                "mongodb",
                "bson",
                "bigtix_service",
                "rand",
                "std::time::SystemTime",
                "std::time::Instant",
                "std::time::*",
                "crate::app",
                "crate::adapters",
                "crate::http",
                "crate::events",
            ],
            Self::App => &["axum", "crate::http", "crate::events"],
            Self::Adapters => &["crate::http", "crate::events"],
            Self::Http | Self::Events => &["mongodb", "bson", "async_nats", "crate::adapters"],
        }
    }

    const fn mend(self) -> &'static str {
        match self {
            Self::Domain => {
                "domain decides from its arguments alone: take the value (the time, a random id, a document's \
                 content) as a parameter and let app or adapters get it"
            }
            Self::App => {
                "a use case takes plain values and answers with plain values; http and events call it"
            }
            Self::Adapters => "adapters are called by app; move what both need into app or domain",
            Self::Http | Self::Events => "call a use case of app; only adapters know the store and the bus",
        }
    }
}

/// Clocks, under whatever name their crate goes.
const CLOCKS: [&[&str]; 2] = [&["time", "SystemTime"], &["time", "Instant"]];

/// Ways to ask for the date, which an instance may have wrong.
const DATES: [&[&str]; 4] = [
    &["SystemTime", "now"],
    &["Timestamp", "now"],
    &["DateTime", "now"],
    &["Zoned", "now"],
];

/// What a layer mentions although it lies further out, test code excepted.
pub(crate) fn inspect(file: &RustFile) -> Vec<Finding> {
    let Some(layer) = Layer::of(file) else {
        return Vec::new();
    };
    mentions::of(file)
        .iter()
        .filter(|mention| !mention.in_test)
        .filter_map(|mention| {
            let refused = refused(layer, mention)?;
            let what = format!("{} may not use {refused}", layer.name());
            Some(Finding::new(&file.path, mention.line, what, layer.mend()))
        })
        .collect()
}

fn refused(layer: Layer, mention: &Mention) -> Option<String> {
    if let Some(forbidden) = layer.forbidden().iter().find(|prefix| mention.is_below(prefix)) {
        return Some(format!("`{forbidden}`"));
    }
    match layer {
        Layer::Domain if CLOCKS.iter().chain(&DATES).any(|clock| mention.contains(clock)) => {
            Some("the clock".into())
        }
        Layer::Domain if mention.path == ["await"] => Some("`await`".into()),
        // What one instance writes down another one compares, and an instance's clock may be an hour off.
        Layer::App | Layer::Adapters | Layer::Http | Layer::Events
            if DATES.iter().any(|date| mention.contains(date)) =>
        {
            Some("this machine's clock; decide by `StoreClock`, tell by `clock::wall`".into())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::rust_files::planted;
    use super::*;

    fn findings(layer: &str, code: &str) -> usize {
        inspect(&planted(&format!("services/orders/src/{layer}.rs"), code)).len()
    }

    #[test]
    fn domain_is_pure() {
        for code in [
            "use tokio::sync::Mutex;",
            "use axum::Json;",
            "use mongodb::Client;",
            "use bson::{doc, oid::ObjectId};",
            "use bigtix_service::Clock;",
            "use std::time::{Duration, SystemTime};",
            "fn f() { let now = std::time::Instant::now(); }",
            "use std::time; fn f() { time::Instant::now(); }",
            "fn f() -> u8 { rand::random() }",
            "fn f() { jiff::Timestamp::now(); }",
            "async fn f() { g().await }",
            "use crate::app::place_order;",
            "use super::adapters::Store;",
            "use crate::{http, events::table};",
        ] {
            assert!(findings("domain", code) > 0, "{code}");
            assert!(
                findings("domain/order", &code.replace("super::", "super::super::")) > 0,
                "{code}"
            );
        }
        assert_eq!(
            findings(
                "domain",
                "use std::time::Duration; use super::domain::Order; use jiff::Timestamp;"
            ),
            0
        );
    }

    #[test]
    fn app_knows_neither_http_nor_events() {
        for code in [
            "use axum::Json;",
            "use crate::http::Body;",
            "fn f() { crate::events::publish() }",
        ] {
            assert_eq!(findings("app", code), 1, "{code}");
            assert_eq!(findings("app/place_order", code), 1, "{code}");
        }
        assert_eq!(
            findings("app", "use crate::domain::Order; use tokio::sync::Mutex;"),
            0
        );
    }

    #[test]
    fn http_and_events_know_neither_store_nor_bus() {
        for code in [
            "use mongodb::bson;",
            "use bson::doc;",
            "use async_nats::Client;",
            "use crate::adapters::Store;",
        ] {
            assert_eq!(findings("http", code), 1, "{code}");
            assert_eq!(findings("events", code), 1, "{code}");
        }
        assert_eq!(
            findings("http", "use axum::Json; use crate::app::place_order;"),
            0
        );
    }

    #[test]
    fn what_is_decided_goes_by_the_stores_clock() {
        for layer in ["app", "adapters/rows", "http", "events"] {
            for date in ["jiff::Timestamp", "bson::DateTime", "std::time::SystemTime"] {
                let asked = format!("fn f() {{ {date}::now(); }}");
                assert_eq!(findings(layer, &asked), 1, "{layer} {date}");
            }
            let fine = "use bigtix_service::clock::wall; fn f() { wall(); }";
            assert_eq!(findings(layer, fine), 0, "{layer}");
        }
    }

    #[test]
    fn adapters_do_not_call_outward() {
        assert_eq!(findings("adapters", "use crate::http::Body;"), 1);
        assert_eq!(findings("adapters/mongo", "use super::super::events::table;"), 1);
        assert_eq!(
            findings("adapters", "use mongodb::Client; use crate::app::Store;"),
            0
        );
    }

    #[test]
    fn test_code_may_reach_across() {
        assert_eq!(
            findings("http", "#[cfg(test)] mod tests { use crate::adapters::Store; }"),
            0
        );
        assert_eq!(findings("http/tests", "use crate::adapters::Store;"), 0);
    }

    #[test]
    fn what_lies_outside_of_services_has_no_layers() {
        assert!(inspect(&planted("sdk/service/src/http.rs", "use bson::doc;")).is_empty());
    }
}
