//! Validating the fields of a JSON object: every failed rule is reported, each under its field, in words.
//!
//! A typed deserialiser stops at the first wrong type and says so in its own words; the API's messages are part of its
//! contract, so fields are read one by one here.

use std::collections::BTreeMap;
use std::str::FromStr;

use axum::http::StatusCode;
use bigtix_contracts::money::MoneyError;
use bigtix_contracts::{Cents, ErrorCode, ErrorItem};
use serde_json::value::RawValue;

use super::ApiError;

/// The fields of an object, and the rules they broke so far.
#[derive(Debug, Default)]
pub struct Fields {
    values: BTreeMap<String, Box<RawValue>>,
    /// Where this object stands in the body: empty, or such as `tickets[2].`.
    prefix: String,
    errors: Vec<ErrorItem>,
}

fn malformed() -> ApiError {
    ApiError::new(
        StatusCode::BAD_REQUEST,
        ErrorCode::MalformedJson,
        "Malformed JSON",
    )
}

impl Fields {
    /// An object without fields.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Reads `body`.
    ///
    /// # Errors
    /// 400 "Malformed JSON", or 400 when it is JSON and no object.
    pub fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let text = std::str::from_utf8(body).map_err(|_| malformed())?;
        let raw: &RawValue = serde_json::from_str(text).map_err(|_| malformed())?;
        if !raw.get().starts_with('{') {
            return Err(ApiError::validation(vec![ErrorItem {
                message: "The body must be an object".into(),
                field: None,
            }]));
        }
        Self::nested(raw, String::new()).ok_or_else(malformed)
    }

    fn nested(raw: &RawValue, prefix: String) -> Option<Self> {
        Some(Self {
            values: serde_json::from_str(raw.get()).ok()?,
            prefix,
            errors: Vec::new(),
        })
    }

    /// Notes that `field` broke a rule.
    pub fn refuse(&mut self, field: &str, message: impl Into<String>) {
        self.errors.push(ErrorItem {
            message: message.into(),
            field: Some(format!("{}{field}", self.prefix)),
        });
    }

    /// Whether the field is there and not null.
    pub fn has(&self, field: &str) -> bool {
        self.raw(field).is_some()
    }

    fn raw(&self, field: &str) -> Option<&str> {
        self.values
            .get(field)
            .map(|value| value.get())
            .filter(|text| *text != "null")
    }

    /// The field as a string; `None` when it is absent, null or (then noted) of another type.
    pub fn string(&mut self, field: &str, label: &str) -> Option<String> {
        let text = self.raw(field)?;
        match serde_json::from_str::<String>(text) {
            Ok(value) => Some(value),
            Err(_) => {
                self.refuse(field, format!("{label} must be a string"));
                None
            }
        }
    }

    /// A trimmed string of `min` to `max` characters. Absent or empty is "`label` is required".
    pub fn required_text(&mut self, field: &str, label: &str, min: usize, max: usize) -> Option<String> {
        let broken = self.errors.len();
        let text = self.string(field, label).map(|text| text.trim().to_owned());
        if self.errors.len() > broken {
            return None;
        }
        match text.filter(|text| !text.is_empty()) {
            None => {
                self.refuse(field, format!("{label} is required"));
                None
            }
            Some(text) => self.within(field, label, text, min, max),
        }
    }

    /// A trimmed string of at most `max` characters; `None` when it is absent.
    pub fn optional_text(&mut self, field: &str, label: &str, max: usize) -> Option<String> {
        let text = self.string(field, label)?.trim().to_owned();
        self.within(field, label, text, 0, max)
    }

    fn within(&mut self, field: &str, label: &str, text: String, min: usize, max: usize) -> Option<String> {
        let length = text.chars().count();
        if (min..=max).contains(&length) {
            return Some(text);
        }
        let bounds = if min <= 1 {
            format!("at most {max}")
        } else {
            format!("{min} to {max}")
        };
        self.refuse(field, format!("{label} must have {bounds} characters"));
        None
    }

    /// Decimal dollars, as a number or a numeric string; `None` when absent, null or (then noted) not an amount.
    pub fn dollars(&mut self, field: &str, label: &str) -> Option<Cents> {
        let text = self.raw(field)?;
        let unquoted = text
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'))
            .unwrap_or(text);
        match Cents::parse_dollars(unquoted.trim()) {
            Ok(amount) => Some(amount),
            Err(MoneyError::TooManyDecimals) => {
                self.refuse(field, format!("{label} must have at most two decimals"));
                None
            }
            Err(MoneyError::NotANumber) => {
                self.refuse(field, format!("{label} must be a number"));
                None
            }
        }
    }

    /// A whole number within `range`; `None` when absent, null or (then noted) anything else.
    pub fn whole(&mut self, field: &str, label: &str, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
        let text = self.raw(field)?;
        let number = serde_json::from_str::<i64>(text).ok();
        if let Some(number) = number.filter(|number| range.contains(number)) {
            return Some(number);
        }
        let message = match number {
            None => format!("{label} must be a whole number"),
            Some(_) => format!("{label} must be {} to {}", range.start(), range.end()),
        };
        self.refuse(field, message);
        None
    }

    /// `true` or `false`; `None` when absent, null or (then noted) anything else.
    pub fn boolean(&mut self, field: &str, label: &str) -> Option<bool> {
        let text = self.raw(field)?;
        let value = serde_json::from_str(text).ok();
        if value.is_none() {
            self.refuse(field, format!("{label} must be true or false"));
        }
        value
    }

    /// An id; malformed is "`label` is invalid", absent is `None`.
    pub fn id<T: FromStr>(&mut self, field: &str, label: &str) -> Option<T> {
        let text = self.raw(field)?;
        let id = serde_json::from_str::<String>(text)
            .ok()
            .and_then(|text| text.parse().ok());
        if id.is_none() {
            self.refuse(field, format!("{label} is invalid"));
        }
        id
    }

    /// The objects of an array, each to be validated under `field[i].`; `None` when absent or (then noted) anything else.
    pub fn objects(&mut self, field: &str, label: &str) -> Option<Vec<Fields>> {
        let text = self.raw(field)?;
        let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(text) else {
            self.refuse(field, format!("{label} must be an array"));
            return None;
        };
        let prefixed =
            |(i, item): (usize, &&RawValue)| Self::nested(item, format!("{}{field}[{i}].", self.prefix));
        let objects: Vec<Option<Fields>> = items.iter().enumerate().map(prefixed).collect();
        for (i, _) in objects.iter().enumerate().filter(|(_, object)| object.is_none()) {
            self.refuse(&format!("{field}[{i}]"), "must be an object");
        }
        objects.into_iter().collect()
    }

    /// Takes over what a nested object's validation noted.
    pub fn absorb(&mut self, nested: Fields) {
        self.errors.extend(nested.errors);
    }

    /// Ends the validation.
    ///
    /// # Errors
    /// 400 with one entry per failed rule.
    pub fn finish(self) -> Result<(), ApiError> {
        if self.errors.is_empty() {
            Ok(())
        } else {
            Err(ApiError::validation(self.errors))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(fields: Fields) -> Vec<(String, Option<String>)> {
        fields.errors.into_iter().map(|e| (e.message, e.field)).collect()
    }

    #[test]
    fn each_failed_rule_is_one_entry() {
        let mut fields = Fields::parse(br#"{"title": 5, "price": "cheap", "quantity": 0}"#).unwrap();
        fields.required_text("title", "Title", 1, 125);
        fields.dollars("price", "Price");
        fields.whole("quantity", "Quantity", 1..=1000);
        fields.required_text("description", "Description", 1, 10);
        let expected = [
            "Title must be a string",
            "Price must be a number",
            "Quantity must be 1 to 1000",
            "Description is required",
        ];
        assert_eq!(
            messages(fields)
                .into_iter()
                .map(|(message, _)| message)
                .collect::<Vec<_>>(),
            expected
        );
    }

    #[test]
    fn nested_objects_are_named_by_their_place() {
        let mut fields = Fields::parse(br#"{"tickets": [{"id": "x"}, 7]}"#).unwrap();
        assert!(fields.objects("tickets", "Tickets").is_none());
        assert_eq!(
            messages(fields),
            [("must be an object".to_owned(), Some("tickets[1]".to_owned()))]
        );
    }

    #[test]
    fn a_number_and_a_numeric_string_are_the_same_price() {
        for body in [
            r#"{"price": 19.99}"#,
            r#"{"price": "19.99"}"#,
            r#"{"price": 1.999e1}"#,
        ] {
            let mut fields = Fields::parse(body.as_bytes()).unwrap();
            assert_eq!(fields.dollars("price", "Price"), Some(Cents(1999)), "{body}");
        }
    }

    #[test]
    fn what_is_not_json_is_malformed() {
        for body in ["{", "{\"a\":}", "\u{7f}", "{} {}"] {
            assert_eq!(
                Fields::parse(body.as_bytes()).unwrap_err().problem().code,
                ErrorCode::MalformedJson,
                "{body}"
            );
        }
    }
}
