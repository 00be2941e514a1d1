//! The shop as a whole: where it is, how it writes amounts, how it takes cards.

use axum::http::HeaderValue;
use url::{Origin, Url};

use crate::view::money::{Currency, Locale};

/// Stripe's own script, and what its pages need besides it.
const STRIPE: &str = "https://js.stripe.com";
const STRIPE_ORIGINS: [&str; 4] = [
    "https://api.stripe.com",
    "https://*.js.stripe.com",
    "https://hooks.stripe.com",
    "https://*.stripe.com",
];

/// What is the same for all requests.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    /// Without a slash at the end.
    pub(crate) url: String,
    pub(crate) currency: Currency,
    pub(crate) locale: Locale,
    pub(crate) script: Option<CardScript>,
    pub(crate) test_cards: bool,
}

/// The script that makes tokens of cards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CardScript {
    pub(crate) url: String,
    pub(crate) key: String,
    /// Of the script itself and of what it calls, for the pay step's policy.
    origin: String,
    others: String,
}

/// The text is no address of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an http or https address")]
pub(crate) struct NotAnAddress;

impl CardScript {
    pub(crate) fn new(url: &str, key: String, origins: Vec<String>) -> Result<Self, NotAnAddress> {
        let parsed = Url::parse(url).map_err(|_| NotAnAddress)?;
        let origin = match parsed.origin() {
            origin @ Origin::Tuple(..) if matches!(parsed.scheme(), "http" | "https") => {
                origin.ascii_serialization()
            }
            Origin::Tuple(..) | Origin::Opaque(_) => return Err(NotAnAddress),
        };
        let others = if !origins.is_empty() {
            origins
        } else if origin == STRIPE {
            STRIPE_ORIGINS.map(str::to_owned).to_vec()
        } else {
            Vec::new()
        };
        let others = others.join(" ");
        // What the policy is written with must not be able to end a directive.
        if !others
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b';' && byte != b',' || byte == b' ')
        {
            return Err(NotAnAddress);
        }
        Ok(Self {
            url: parsed.to_string(),
            key,
            origin,
            others,
        })
    }

    /// The content security policy of the page that loads the script.
    pub(crate) fn policy(&self) -> HeaderValue {
        let Self { origin, others, .. } = self;
        let text = format!(
            "default-src 'none'; script-src 'self' {origin}; style-src 'self'; img-src 'self' data: {origin}; \
             font-src 'self'; connect-src 'self' {origin} {others}; frame-src {origin} {others}; \
             manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        );
        HeaderValue::try_from(text).expect("origins are visible ASCII")
    }
}

impl Site {
    pub(crate) fn new(url: &str, locale: Locale, script: Option<CardScript>, test_cards: bool) -> Self {
        Self {
            url: url.trim_end_matches('/').to_owned(),
            currency: Currency::USD,
            locale,
            script,
            test_cards,
        }
    }

    /// Whether browsers reach the shop by https.
    pub(crate) fn is_https(&self) -> bool {
        self.url.starts_with("https://")
    }

    /// An address within the shop, in full.
    pub(crate) fn absolute(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// An amount as people read it.
    pub(crate) fn price(&self, amount: bigtix_contracts::Cents) -> String {
        self.currency.write(amount.0, self.locale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pay_step_names_the_origins_of_its_script_and_no_others() {
        let own =
            CardScript::new("http://127.0.0.1:8420/js.stripe.com/v3/", "pk".into(), Vec::new()).unwrap();
        let policy = own.policy();
        let policy = policy.to_str().unwrap();
        assert!(
            policy.contains("script-src 'self' http://127.0.0.1:8420;"),
            "{policy}"
        );
        assert!(
            !policy.contains("stripe.com") && !policy.contains("unsafe"),
            "{policy}"
        );
        let stripes = CardScript::new("https://js.stripe.com/v3/", "pk".into(), Vec::new()).unwrap();
        assert!(
            stripes
                .policy()
                .to_str()
                .unwrap()
                .contains("https://hooks.stripe.com")
        );
    }

    #[test]
    fn what_would_change_the_policy_is_refused() {
        for url in ["", "js.stripe.com", "javascript:alert(1)", "data:text/html,x"] {
            assert_eq!(
                CardScript::new(url, "pk".into(), Vec::new()),
                Err(NotAnAddress),
                "{url}"
            );
        }
        let sneaky = vec!["https://a.example; script-src *".to_owned()];
        assert_eq!(
            CardScript::new("https://js.stripe.com/v3/", "pk".into(), sneaky),
            Err(NotAnAddress)
        );
    }
}
