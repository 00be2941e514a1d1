//! Money is whole cents inside and a decimal number of dollars on the wire; a float never touches it.

use std::fmt;
use std::iter::Sum;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// An amount in whole US cents. Serialised as an integer, as events and internal calls carry it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cents(pub i64);

impl Sum for Cents {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        Self(amounts.map(|amount| amount.0).sum())
    }
}

impl fmt::Display for Cents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let cents = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02}", cents / 100, cents % 100)
    }
}

/// Why a text is not an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not a decimal number at all, or one too large to hold.
    #[error("not a decimal number")]
    NotANumber,
    /// More than two decimals that are not zero.
    #[error("more than two decimals")]
    TooManyDecimals,
}

impl Cents {
    /// Reads decimal dollars such as `19.99`, `20`, `-3.5` or `1.2e1`, exactly.
    ///
    /// # Errors
    /// [`MoneyError`] when the text is no decimal number or does not come to whole cents.
    pub fn parse_dollars(text: &str) -> Result<Self, MoneyError> {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (
                mantissa,
                exponent.parse::<i32>().map_err(|_| MoneyError::NotANumber)?,
            ),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits: String = [whole, fraction].concat();
        let lone_point = mantissa.contains('.') && fraction.is_empty();
        if whole.is_empty() || lone_point || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(MoneyError::NotANumber);
        }
        let fraction_digits = i32::try_from(fraction.len()).map_err(|_| MoneyError::NotANumber)?;
        let scale = exponent
            .checked_add(2)
            .and_then(|s| s.checked_sub(fraction_digits))
            .ok_or(MoneyError::NotANumber)?;
        let cents = shift(digits.trim_start_matches('0'), scale)?;
        Ok(Self(if negative { -cents } else { cents }))
    }
}

/// `digits * 10^scale` as a whole number.
fn shift(digits: &str, scale: i32) -> Result<i64, MoneyError> {
    if digits.is_empty() {
        return Ok(0);
    }
    if scale >= 0 {
        let factor = u32::try_from(scale)
            .ok()
            .and_then(|s| 10_i64.checked_pow(s))
            .ok_or(MoneyError::NotANumber)?;
        let number: i64 = digits.parse().map_err(|_| MoneyError::NotANumber)?;
        return number.checked_mul(factor).ok_or(MoneyError::NotANumber);
    }
    let dropped = usize::try_from(-i64::from(scale)).map_err(|_| MoneyError::NotANumber)?;
    let (kept, rest) = digits.split_at(digits.len().saturating_sub(dropped));
    if rest.bytes().any(|b| b != b'0') {
        return Err(MoneyError::TooManyDecimals);
    }
    if kept.is_empty() {
        Ok(0)
    } else {
        kept.parse().map_err(|_| MoneyError::NotANumber)
    }
}

/// An amount as REST bodies carry it: a JSON number with at most two decimals (`19.99`, `20`). A numeric string is read too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Dollars(pub Cents);

impl Serialize for Dollars {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.0.to_string();
        let shortest = text.strip_suffix(".00").unwrap_or(&text).to_owned();
        RawValue::from_string(shortest)
            .map_err(serde::ser::Error::custom)?
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Dollars {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Cents::parse_dollars(raw.get().trim_matches('"'))
            .map(Self)
            .map_err(serde::de::Error::custom)
    }
}

impl utoipa::PartialSchema for Dollars {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::Number)
            .description(Some("US dollars with at most two decimals"))
            .examples([serde_json::json!(19.99)])
            .into()
    }
}

impl utoipa::ToSchema for Dollars {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn decimal_dollars_become_exact_cents() {
        for (text, cents) in [
            ("19.99", 1999),
            ("20", 2000),
            ("0.5", 50),
            ("-3.5", -350),
            ("1.2e1", 1200),
            ("1e2", 10_000),
            ("100.10", 10_010),
            ("1.230", 123),
            ("0", 0),
        ] {
            assert_eq!(Cents::parse_dollars(text), Ok(Cents(cents)), "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in [
            "",
            "abc",
            "1.",
            ".5",
            "1,5",
            "1e",
            "NaN",
            "--1",
            "1e99",
            "99999999999999999999",
            "1 ",
        ] {
            assert_eq!(Cents::parse_dollars(text), Err(MoneyError::NotANumber), "{text}");
        }
        for text in ["1.999", "0.001", "1e-3"] {
            assert_eq!(
                Cents::parse_dollars(text),
                Err(MoneyError::TooManyDecimals),
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(cents in -10_000_000_000_i64..10_000_000_000) {
            let json = serde_json::to_string(&Dollars(Cents(cents))).unwrap();
            prop_assert_eq!(serde_json::from_str::<Dollars>(&json).unwrap(), Dollars(Cents(cents)));
            prop_assert_eq!(Cents::parse_dollars(&Cents(cents).to_string()), Ok(Cents(cents)));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC*") {
            let _ = Cents::parse_dollars(&text);
        }
    }
}
