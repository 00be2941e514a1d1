//! From amounts such as `1.5Gi` to numbers that programs are started with.

use bigtix_crds::platform::{Amounts, Quantity};

/// The bytes that a program may use: its limit, or what it was promised where nothing limits it; none when the text is
/// no amount.
#[must_use]
pub fn bytes_of(memory: &Amounts) -> Option<u64> {
    bytes(memory.limit.as_ref().unwrap_or(&memory.request))
}

/// That share of the amount.
#[must_use]
pub fn percent(amount: u64, percent: u64) -> u64 {
    // Divided first: an amount may be near the largest number.
    amount / 100 * percent
}

/// Whole bytes; none when the text is no amount or beyond what can be counted.
#[must_use]
pub fn bytes(Quantity(text): &Quantity) -> Option<u64> {
    let (number, unit) = split(text)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits: u128 = format!("{whole}{fraction}").parse().ok()?;
    let scale = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    u64::try_from(digits.checked_mul(unit)? / 1000 / scale).ok()
}

/// The number and its unit in thousandths.
fn split(text: &str) -> Option<(&str, u128)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.');
    let (number, suffix) = text.split_at(end.unwrap_or(text.len()));
    let power = |base: u128, power: u32| 1000 * base.pow(power);
    let unit = match suffix {
        "m" => 1,
        "" => power(1000, 0),
        "k" => power(1000, 1),
        "M" => power(1000, 2),
        "G" => power(1000, 3),
        "T" => power(1000, 4),
        "P" => power(1000, 5),
        "E" => power(1000, 6),
        "Ki" => power(1024, 1),
        "Mi" => power(1024, 2),
        "Gi" => power(1024, 3),
        "Ti" => power(1024, 4),
        "Pi" => power(1024, 5),
        "Ei" => power(1024, 6),
        exponent => power(1, 0).checked_mul(10_u128.checked_pow(parse_exponent(exponent)?)?)?,
    };
    Some((number, unit))
}

/// Of amounts such as `1e9`, which are rare and allowed.
fn parse_exponent(suffix: &str) -> Option<u32> {
    suffix
        .strip_prefix(['e', 'E'])?
        .trim_start_matches('+')
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_counted_in_bytes() {
        for (text, expected) in [
            ("1Gi", Some(1 << 30)),
            ("1.5Gi", Some(3 << 29)),
            ("512Mi", Some(512 << 20)),
            ("1G", Some(1_000_000_000)),
            ("1e9", Some(1_000_000_000)),
            ("100", Some(100)),
            ("1500m", Some(1)),
            ("", None),
            ("1X", None),
            ("99999999Ei", None),
        ] {
            assert_eq!(bytes(&Quantity(text.to_owned())), expected, "{text}");
        }
    }

    #[test]
    fn what_is_promised_counts_where_nothing_limits() {
        let quantity = |text: &str| Quantity(text.to_owned());
        let (request, limit) = (quantity("1Ki"), Some(quantity("2Ki")));
        let bounded = Amounts {
            request: request.clone(),
            limit,
        };
        assert_eq!(bytes_of(&bounded), Some(2048));
        assert_eq!(bytes_of(&Amounts { request, limit: None }), Some(1024));
    }
}
