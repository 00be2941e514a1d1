//! The services that this program holds, each as its library.

use std::collections::BTreeMap;
use std::process::ExitCode;

use bigtix_crds::Service;
use bigtix_service::config::SettingDoc;
use bigtix_service::{Settings, StartError};
use futures::future::BoxFuture;
use serde_json::Value;

type Prepared = BoxFuture<'static, Result<bigtix_service::Service, StartError>>;

/// One service's library.
#[derive(Clone, Copy)]
pub(crate) struct Held {
    /// Which service.
    pub(crate) service: Service,
    /// Whether other services call it, so that it needs a second address.
    pub(crate) is_called: bool,
    /// Whether it has a database and speaks on the bus.
    pub(crate) has_stores: bool,
    /// Wires it with these settings.
    pub(crate) prepare: fn(BTreeMap<String, String>) -> Prepared,
    /// Runs it as this process, with the settings of the environment.
    pub(crate) main: fn() -> ExitCode,
    /// Its settings.
    pub(crate) settings: fn() -> Vec<SettingDoc>,
    /// Its API, where it has one.
    pub(crate) openapi: Option<fn() -> Value>,
}

macro_rules! held {
    ($service:ident, $library:ident, $is_called:expr, $has_stores:expr, $openapi:expr) => {
        Held {
            service: Service::$service,
            is_called: $is_called,
            has_stores: $has_stores,
            prepare: |values| {
                Box::pin(async move {
                    let mut settings = Settings::from_map(values);
                    let config = $library::Config::read(&mut settings);
                    settings.finish()?;
                    $library::service(config).await
                })
            },
            main: || bigtix_service::main($library::Config::read, $library::service),
            settings: || {
                let mut settings = Settings::default();
                $library::Config::read(&mut settings);
                settings.docs().to_vec()
            },
            openapi: $openapi,
        }
    };
}

/// Every service of this program, in the order in which a release is rolled out.
pub(crate) const HELD: &[Held] = &[
    held!(
        Auth,
        bigtix_auth,
        false,
        true,
        Some(|| document(&bigtix_auth::openapi()))
    ),
    held!(
        Tickets,
        bigtix_tickets,
        true,
        true,
        Some(|| document(&bigtix_tickets::openapi()))
    ),
    held!(
        Orders,
        bigtix_orders,
        true,
        true,
        Some(|| document(&bigtix_orders::openapi()))
    ),
    held!(
        Payments,
        bigtix_payments,
        false,
        true,
        Some(|| document(&bigtix_payments::openapi()))
    ),
    held!(Expiration, bigtix_expiration, false, true, None),
    held!(Web, bigtix_web, false, false, None),
];

fn document(openapi: &impl serde::Serialize) -> Value {
    serde_json::to_value(openapi).expect("an OpenAPI document is JSON")
}

/// The API of every service that has one, by name.
pub(crate) fn documents() -> Vec<(&'static str, Value)> {
    HELD.iter()
        .filter_map(|held| Some((held.service.as_str(), (held.openapi?)())))
        .collect()
}

/// The service of that name.
pub(crate) fn by_name(name: &str) -> Option<&'static Held> {
    HELD.iter().find(|held| held.service.as_str() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_says_what_can_be_set() {
        for held in HELD {
            assert!(!(held.settings)().is_empty(), "{}", held.service);
            assert!(by_name(held.service.as_str()).is_some());
        }
    }

    #[test]
    fn every_document_describes_an_api() {
        for (name, document) in documents() {
            assert!(
                document["paths"]
                    .as_object()
                    .is_some_and(|paths| !paths.is_empty()),
                "{name}"
            );
        }
    }
}
