//! Amounts as people read them, from whole minor units; no float comes near them.

use std::fmt;
use std::str::FromStr;

/// A currency: its ISO 4217 code, its sign, and how many of its digits stand behind the point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Currency {
    pub(crate) code: &'static str,
    sign: &'static str,
    pub(crate) digits: u32,
}

impl Currency {
    /// What the API's prices are in.
    pub(crate) const USD: Self = Self {
        code: "USD",
        sign: "$",
        digits: 2,
    };
}

/// How a place writes amounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Locale {
    EnUs,
    EnGb,
    DeDe,
    FrFr,
    JaJp,
}

impl Locale {
    const ALL: [Self; 5] = [Self::EnUs, Self::EnGb, Self::DeDe, Self::FrFr, Self::JaJp];

    const fn tag(self) -> &'static str {
        match self {
            Self::EnUs => "en-US",
            Self::EnGb => "en-GB",
            Self::DeDe => "de-DE",
            Self::FrFr => "fr-FR",
            Self::JaJp => "ja-JP",
        }
    }

    /// Between groups of three digits.
    const fn group(self) -> &'static str {
        match self {
            Self::EnUs | Self::EnGb | Self::JaJp => ",",
            Self::DeDe => ".",
            Self::FrFr => "\u{202f}",
        }
    }

    /// Before the minor digits.
    const fn point(self) -> &'static str {
        match self {
            Self::EnUs | Self::EnGb | Self::JaJp => ".",
            Self::DeDe | Self::FrFr => ",",
        }
    }

    const fn sign_first(self) -> bool {
        match self {
            Self::EnUs | Self::EnGb | Self::JaJp => true,
            Self::DeDe | Self::FrFr => false,
        }
    }
}

impl fmt::Display for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

/// The text names no locale that is known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UnknownLocale;

impl FromStr for Locale {
    type Err = UnknownLocale;

    fn from_str(text: &str) -> Result<Self, UnknownLocale> {
        Self::ALL
            .into_iter()
            .find(|locale| locale.tag().eq_ignore_ascii_case(text))
            .ok_or(UnknownLocale)
    }
}

impl Currency {
    /// The amount in words of the place, such as `$1,234.50` or `1.234,50 $`.
    pub(crate) fn write(self, minor: i64, locale: Locale) -> String {
        let number = self.number(minor.unsigned_abs(), locale);
        let minus = if minor < 0 { "-" } else { "" };
        let sign = self.sign;
        if locale.sign_first() {
            let gap = if sign.chars().all(char::is_alphabetic) {
                "\u{a0}"
            } else {
                ""
            };
            format!("{minus}{sign}{gap}{number}")
        } else {
            format!("{minus}{number}\u{a0}{sign}")
        }
    }

    /// The amount as data: digits with a point, such as `1234.50`.
    pub(crate) fn plain(self, minor: i64) -> String {
        let (whole, rest) = self.split(minor.unsigned_abs());
        let minus = if minor < 0 { "-" } else { "" };
        if self.digits == 0 {
            format!("{minus}{whole}")
        } else {
            format!("{minus}{whole}.{rest}")
        }
    }

    fn split(self, minor: u64) -> (u64, String) {
        let unit = 10_u64.pow(self.digits);
        let width = usize::try_from(self.digits).unwrap_or_default();
        (minor / unit, format!("{:0width$}", minor % unit))
    }

    fn number(self, minor: u64, locale: Locale) -> String {
        let (whole, rest) = self.split(minor);
        let digits = whole.to_string();
        let mut number = String::with_capacity(digits.len() * 2);
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                number.push_str(locale.group());
            }
            number.push(digit);
        }
        if self.digits > 0 {
            number.push_str(locale.point());
            number.push_str(&rest);
        }
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const JPY: Currency = Currency {
        code: "JPY",
        sign: "¥",
        digits: 0,
    };
    const KWD: Currency = Currency {
        code: "KWD",
        sign: "KWD",
        digits: 3,
    };

    #[test]
    fn each_currency_has_its_digits_and_each_place_its_groups() {
        for (currency, minor, locale, written) in [
            (Currency::USD, 1_999, Locale::EnUs, "$19.99"),
            (Currency::USD, 5, Locale::EnUs, "$0.05"),
            (Currency::USD, 123_456_789, Locale::EnGb, "$1,234,567.89"),
            (Currency::USD, -100_000, Locale::EnUs, "-$1,000.00"),
            (Currency::USD, 123_450, Locale::DeDe, "1.234,50\u{a0}$"),
            (Currency::USD, 123_450, Locale::FrFr, "1\u{202f}234,50\u{a0}$"),
            (JPY, 1_500, Locale::JaJp, "¥1,500"),
            (JPY, 999, Locale::EnUs, "¥999"),
            (KWD, 1_234_567, Locale::EnUs, "KWD\u{a0}1,234.567"),
            (KWD, 5, Locale::EnUs, "KWD\u{a0}0.005"),
        ] {
            assert_eq!(currency.write(minor, locale), written);
        }
    }

    #[test]
    fn data_has_no_groups() {
        assert_eq!(Currency::USD.plain(123_450), "1234.50");
        assert_eq!(JPY.plain(1_500), "1500");
        assert_eq!(KWD.plain(-1_500), "-1.500");
        assert_eq!(JPY.code, "JPY");
    }

    #[test]
    fn a_locale_reads_as_it_is_written() {
        for locale in Locale::ALL {
            assert_eq!(locale.to_string().parse(), Ok(locale));
        }
        assert_eq!("xx".parse::<Locale>(), Err(UnknownLocale));
    }

    proptest! {
        #[test]
        fn no_digit_is_lost(minor in 0_i64..10_000_000_000) {
            for currency in [Currency::USD, JPY, KWD] {
                let digits: String = currency.write(minor, Locale::DeDe).chars().filter(char::is_ascii_digit).collect();
                prop_assert_eq!(digits.parse::<i64>().unwrap(), minor);
            }
        }
    }
}
