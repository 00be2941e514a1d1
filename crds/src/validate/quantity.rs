//! Comparing amounts such as `250m` and `1.5Gi`.

/// The amount in thousandths; none when the text is no amount or is beyond what can be counted.
pub(super) fn thousandths(text: &str) -> Option<u128> {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = format!("{whole}{fraction}").parse::<u128>().ok()?;
    let scale = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    Some(digits.checked_mul(unit(suffix)?)?.div_ceil(scale))
}

/// Whether two texts are the same amount, such as `1` and `1000m`.
#[must_use]
pub fn same_quantity(one: &str, other: &str) -> bool {
    thousandths(one).is_some_and(|amount| Some(amount) == thousandths(other))
}

/// Whether one amount is less than another; `false` when either is no amount.
#[must_use]
pub fn is_less(one: &str, than: &str) -> bool {
    matches!((thousandths(one), thousandths(than)), (Some(one), Some(than)) if one < than)
}

/// What one of the suffix is, in thousandths.
fn unit(suffix: &str) -> Option<u128> {
    let thousand = |power: u32| Some(1000_u128.pow(power + 1));
    let kibi = |power: u32| Some(1000 * 1024_u128.pow(power));
    match suffix {
        "m" => Some(1),
        "" => thousand(0),
        "k" => thousand(1),
        "M" => thousand(2),
        "G" => thousand(3),
        "T" => thousand(4),
        "P" => thousand(5),
        "E" => thousand(6),
        "Ki" => kibi(1),
        "Mi" => kibi(2),
        "Gi" => kibi(3),
        "Ti" => kibi(4),
        "Pi" => kibi(5),
        "Ei" => kibi(6),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_compare_across_their_units() {
        for (text, amount) in [
            ("250m", Some(250)),
            ("2", Some(2000)),
            ("0.5", Some(500)),
            ("1k", Some(1_000_000)),
            ("1Ki", Some(1_024_000)),
            ("1.5Gi", thousandths("1536Mi")),
            ("0.0001", Some(1)),
            ("", None),
            ("Gi", None),
            ("1X", None),
            ("999999999999999999999999999999999999999999", None),
        ] {
            assert_eq!(thousandths(text), amount, "{text}");
        }
    }
}
