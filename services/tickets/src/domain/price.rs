//! What a ticket may cost.

use bigtix_contracts::Cents;

const LEAST: Cents = Cents(50);
const MOST: Cents = Cents(9_999_999);
/// What the alias paths ask for at least.
const ALIAS_LEAST: Cents = Cents(1_000);

/// Which paths a listing comes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rules {
    /// The canonical ones.
    Canonical,
    /// Those of the systems replaced, which are stricter.
    Alias,
}

/// What is wrong with the price, if anything.
pub(crate) fn refusal(price: Cents, rules: Rules) -> Option<&'static str> {
    match rules {
        Rules::Canonical if price <= Cents(0) => Some("Price must be greater than 0"),
        Rules::Canonical if price < LEAST => Some("Price must be at least 0.50"),
        Rules::Alias if price < ALIAS_LEAST => Some("Price must be at least 10"),
        Rules::Canonical | Rules::Alias => (price > MOST).then_some("Price must be at most 99999.99"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounds_belong_to_what_is_allowed() {
        for (cents, rules, refused) in [
            (-1, Rules::Canonical, Some("Price must be greater than 0")),
            (0, Rules::Canonical, Some("Price must be greater than 0")),
            (49, Rules::Canonical, Some("Price must be at least 0.50")),
            (50, Rules::Canonical, None),
            (9_999_999, Rules::Canonical, None),
            (
                10_000_000,
                Rules::Canonical,
                Some("Price must be at most 99999.99"),
            ),
            (0, Rules::Alias, Some("Price must be at least 10")),
            (999, Rules::Alias, Some("Price must be at least 10")),
            (1_000, Rules::Alias, None),
            (10_000_000, Rules::Alias, Some("Price must be at most 99999.99")),
        ] {
            assert_eq!(refusal(Cents(cents), rules), refused, "{cents} {rules:?}");
        }
    }
}
