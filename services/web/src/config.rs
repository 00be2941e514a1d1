//! Settings of the web service.

use bigtix_client::Bases;
use bigtix_service::Settings;

use crate::site::{CardScript, Site};
use crate::view::money::Locale;

/// Everything that can be set.
#[derive(Debug, Clone)]
pub struct Config {
    pub(crate) bases: Bases,
    pub(crate) site: Site,
}

impl Config {
    /// Reads it.
    pub fn read(settings: &mut Settings) -> Self {
        let mut base = |name, doc| settings.required(name, doc).trim_end_matches('/').to_owned();
        let bases = Bases {
            auth: base("AUTH_API_URL", "where the auth service serves users"),
            tickets: base("TICKETS_API_URL", "where the tickets service serves users"),
            orders: base("ORDERS_API_URL", "where the orders service serves users"),
            payments: base("PAYMENTS_API_URL", "where the payments service serves users"),
        };
        let public_url = settings.text(
            "PUBLIC_URL",
            "http://localhost:8080",
            "address by which browsers reach the shop, without a path",
        );
        let locale = settings.parsed(
            "LOCALE",
            "one of en-US, en-GB, de-DE, fr-FR, ja-JP",
            Locale::EnUs,
            "how amounts are written",
        );
        let test_cards = settings.flag(
            "STRIPE_TEST_CARDS",
            false,
            "whether a stand-in for Stripe takes the payments, so that test cards are offered",
        );
        Self {
            bases,
            site: Site::new(&public_url, locale, read_script(settings), test_cards),
        }
    }
}

fn read_script(settings: &mut Settings) -> Option<CardScript> {
    let url = settings.optional(
        "STRIPE_SCRIPT_URL",
        "Stripe's script, loaded on the pay step alone; absent: there is no card form",
    );
    let key = settings.optional(
        "STRIPE_PUBLISHABLE_KEY",
        "the key with which that script speaks to Stripe",
    );
    let origins = settings.list(
        "STRIPE_SCRIPT_ORIGINS",
        "origins that the script may call and show frames of; absent: Stripe's own, or the script's",
    );
    match (url, key) {
        (Some(url), Some(key)) => match CardScript::new(&url, key, origins) {
            Ok(script) => Some(script),
            Err(why) => {
                settings.refuse("STRIPE_SCRIPT_URL", why);
                None
            }
        },
        (Some(_), None) => {
            settings.refuse("STRIPE_PUBLISHABLE_KEY", "is not set, and STRIPE_SCRIPT_URL is");
            None
        }
        (None, _) => None,
    }
}
