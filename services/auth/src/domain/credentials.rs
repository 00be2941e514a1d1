//! Emails and passwords.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// The longest address that mail can be sent to.
const LONGEST_EMAIL: usize = 254;
const LONGEST_LOCAL_PART: usize = 64;
const LONGEST_LABEL: usize = 63;

/// An address, trimmed and lower-cased, so that one person has one spelling.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Email(String);

/// The text is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Email must be valid")]
pub(crate) struct InvalidEmail;

impl Email {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Email {
    type Err = InvalidEmail;

    fn from_str(text: &str) -> Result<Self, InvalidEmail> {
        let text = text.trim().to_lowercase();
        let (local, domain) = text.rsplit_once('@').ok_or(InvalidEmail)?;
        if text.len() <= LONGEST_EMAIL && is_local_part(local) && is_domain(domain) {
            Ok(Self(text))
        } else {
            Err(InvalidEmail)
        }
    }
}

fn is_local_part(local: &str) -> bool {
    let forbidden = |c: char| c.is_whitespace() || c.is_control() || "@\"(),:;<>[\\]".contains(c);
    (1..=LONGEST_LOCAL_PART).contains(&local.len())
        && !local.contains(forbidden)
        && local.split('.').all(|word| !word.is_empty())
}

fn is_domain(domain: &str) -> bool {
    let mut labels = domain.split('.').peekable();
    let mut count = 0;
    while let Some(label) = labels.next() {
        let is_last = labels.peek().is_none();
        if !is_label(label) || (is_last && (label.chars().count() < 2 || label.chars().all(char::is_numeric)))
        {
            return false;
        }
        count += 1;
    }
    count >= 2
}

fn is_label(label: &str) -> bool {
    (1..=LONGEST_LABEL).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.chars().all(|c| c.is_alphanumeric() || c == '-')
}

/// Which passwords are good enough to sign up with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PasswordPolicy {
    /// 8 to 64 characters, with a digit, an upper-case and a lower-case letter.
    Default,
    /// 4 to 64 characters.
    Basic,
}

impl fmt::Display for PasswordPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Default => "default",
            Self::Basic => "basic",
        })
    }
}

impl FromStr for PasswordPolicy {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "default" => Ok(Self::Default),
            "basic" => Ok(Self::Basic),
            _ => Err(()),
        }
    }
}

impl PasswordPolicy {
    fn length(self) -> RangeInclusive<usize> {
        match self {
            Self::Default => 8..=64,
            Self::Basic => 4..=64,
        }
    }

    /// One message per rule that `password` breaks.
    pub(crate) fn broken_rules(self, password: &str) -> Vec<String> {
        let length = self.length();
        let mut broken = Vec::new();
        if !length.contains(&password.chars().count()) {
            broken.push(format!(
                "Password must have {} to {} characters",
                length.start(),
                length.end()
            ));
        }
        if self == Self::Basic {
            return broken;
        }
        let needs = [
            (password.contains(|c: char| c.is_ascii_digit()), "a digit"),
            (password.contains(char::is_uppercase), "an upper-case letter"),
            (password.contains(char::is_lowercase), "a lower-case letter"),
        ];
        let missing = needs.iter().filter(|(there, _)| !there);
        broken.extend(missing.map(|(_, what)| format!("Password must contain {what}")));
        broken
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_address_has_one_spelling() {
        let email: Email = "  Ann.Lee+Tickets@Example.COM ".parse().unwrap();
        assert_eq!(email.as_str(), "ann.lee+tickets@example.com");
    }

    #[test]
    fn addresses_are_told_from_other_texts() {
        for good in [
            "test@test.com",
            "a@b.co",
            "o'neil@mail.example.org",
            "üser@exämple.com",
            "1@2.dev",
        ] {
            assert!(good.parse::<Email>().is_ok(), "{good}");
        }
        let long = format!("{}@b.co", "a".repeat(65));
        for bad in [
            "",
            "alskdflaskjfd",
            "@b.co",
            "a@",
            "a@b",
            "a b@c.de",
            "a@b..co",
            "a@-b.co",
            "a@b.c",
            "a@b.12",
            ".a@b.co",
            "a..b@c.de",
            "a@b@c.de",
            "a\u{0}b@c.de",
            "a@b_c.de",
            &long,
        ] {
            assert_eq!(bad.parse::<Email>(), Err(InvalidEmail), "{bad}");
        }
    }

    #[test]
    fn every_broken_rule_is_named() {
        let all = PasswordPolicy::Default.broken_rules("");
        assert_eq!(all.len(), 4, "{all:?}");
        assert_eq!(
            PasswordPolicy::Default.broken_rules("password"),
            [
                "Password must contain a digit",
                "Password must contain an upper-case letter"
            ]
        );
        assert_eq!(PasswordPolicy::Default.broken_rules("Passw0rd"), [""; 0]);
        assert_eq!(
            PasswordPolicy::Default.broken_rules(&"aB3".repeat(22)),
            ["Password must have 8 to 64 characters"]
        );
    }

    #[test]
    fn the_basic_policy_looks_at_the_length_alone() {
        assert_eq!(PasswordPolicy::Basic.broken_rules("password"), [""; 0]);
        assert_eq!(
            PasswordPolicy::Basic.broken_rules("abc"),
            ["Password must have 4 to 64 characters"]
        );
    }

    proptest! {
        #[test]
        fn a_normalised_address_stays_as_it_is(text in "\\PC{0,40}@[a-zA-Z0-9-]{1,20}\\.[a-zA-Z]{2,4}") {
            if let Ok(email) = text.parse::<Email>() {
                prop_assert_eq!(email.as_str().parse::<Email>(), Ok(email.clone()));
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC*") {
            let _ = text.parse::<Email>();
            PasswordPolicy::Default.broken_rules(&text);
        }
    }
}
