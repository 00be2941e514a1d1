//! What the buyer pays with, as the buyer's browser got it from Stripe.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The longest text that is taken for an id of Stripe's.
const LONGEST: usize = 255;

/// The text is none of the three kinds of id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("neither a payment method, nor a card token, nor a confirmation token")]
pub struct MalformedSource;

/// What Stripe is asked to charge. It names a card at Stripe and is no card data itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "id")]
pub enum Source {
    /// `pm_...`: a payment method.
    Method(String),
    /// `tok_...`: a card token.
    CardToken(String),
    /// `ctoken_...`: a confirmation token.
    Confirmation(String),
}

impl FromStr for Source {
    type Err = MalformedSource;

    fn from_str(text: &str) -> Result<Self, MalformedSource> {
        if text.len() > LONGEST
            || !text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        {
            return Err(MalformedSource);
        }
        let kinds = [
            ("ctoken_", Self::Confirmation as fn(String) -> Self),
            ("tok_", Self::CardToken),
            ("pm_", Self::Method),
        ];
        let kind = kinds
            .iter()
            .find(|(prefix, _)| text.len() > prefix.len() && text.starts_with(prefix));
        kind.map(|(_, make)| make(text.to_owned())).ok_or(MalformedSource)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_tells_the_kind() {
        assert_eq!("pm_card_visa".parse(), Ok(Source::Method("pm_card_visa".into())));
        assert_eq!("tok_visa".parse(), Ok(Source::CardToken("tok_visa".into())));
        assert_eq!("ctoken_1".parse(), Ok(Source::Confirmation("ctoken_1".into())));
    }

    #[test]
    fn anything_else_is_refused() {
        let long = format!("tok_{}", "a".repeat(LONGEST));
        for text in [
            "",
            "tok_",
            "visa",
            "card_1",
            "tok_a&amount=1",
            "tok_é",
            "4242424242424242",
            &long,
        ] {
            assert_eq!(text.parse::<Source>(), Err(MalformedSource), "{text}");
        }
    }
}
