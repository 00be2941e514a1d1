//! Ids of everything that has one. The list is append-only: an id's kind is part of the contract.
//!
//! On the wire an id is 24 lower-case hexadecimal digits; upper case is read and lowered, so that one thing never
//! has two spellings (two spellings would be two keys of the claims index).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The text is not 24 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id is 24 hexadecimal digits")]
pub struct MalformedId;

fn parse_hex(text: &str) -> Result<[u8; 12], MalformedId> {
    let digits = text.as_bytes();
    if digits.len() != 24 {
        return Err(MalformedId);
    }
    let mut bytes = [0; 12];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let high = char::from(pair[0]).to_digit(16).ok_or(MalformedId)?;
        let low = char::from(pair[1]).to_digit(16).ok_or(MalformedId)?;
        *byte = u8::try_from(high * 16 + low).map_err(|_| MalformedId)?;
    }
    Ok(bytes)
}

fn write_hex(bytes: &[u8; 12], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 12]);

        impl $name {
            /// The id with these bytes.
            pub const fn from_bytes(bytes: [u8; 12]) -> Self {
                Self(bytes)
            }

            /// The id's bytes, as a store keeps them.
            pub const fn bytes(self) -> [u8; 12] {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_hex(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_hex(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = MalformedId;

            fn from_str(text: &str) -> Result<Self, MalformedId> {
                parse_hex(text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                id_schema()
            }
        }

        impl utoipa::ToSchema for $name {}
    )* };
}

fn id_schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
    utoipa::openapi::ObjectBuilder::new()
        .schema_type(utoipa::openapi::schema::Type::String)
        .pattern(Some("^[0-9a-fA-F]{24}$"))
        .description(Some("24 hexadecimal digits"))
        .examples([serde_json::json!("64b0c0ffee0000000000beef")])
        .into()
}

ids! {
    /// Somebody who signed up.
    UserId,
    /// One ticket that somebody lists.
    TicketId,
    /// One order of one to twenty tickets.
    OrderId,
    /// One attempt to pay for an order.
    PaymentId,
    /// An event of the catalogue: a show, a match, a concert.
    EventId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upper_case_is_read_and_lowered() {
        let id: TicketId = "64B0C0FFEE0000000000BEEF".parse().unwrap();
        assert_eq!(id.to_string(), "64b0c0ffee0000000000beef");
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "64b0c0ffee0000000000bee",
            "64b0c0ffee0000000000beefa",
            "64b0c0ffee0000000000bee-",
            "é4b0c0ffee0000000000bee",
        ] {
            assert_eq!(text.parse::<TicketId>(), Err(MalformedId), "{text}");
        }
    }
}
