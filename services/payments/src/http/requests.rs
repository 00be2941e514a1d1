//! Reading what a buyer asks for.

use bigtix_contracts::{Cents, OrderId, PaymentId, UserId};
use bigtix_service::http::idempotency::EffectSeed;
use bigtix_service::http::observe::TraceParent;
use bigtix_service::http::{ApiError, Fields};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::app::Wish;
use crate::domain::Source;

/// What is paid for, and with what.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the body in the API's document; fields are read one by one to give the contract's messages"
)]
pub(super) struct Pay {
    /// A payment method (`pm_`), a card token (`tok_`) or a confirmation token (`ctoken_`) of Stripe's.
    #[schema(
        pattern = "^(pm|tok|ctoken)_[A-Za-z0-9_]+$",
        max_length = 255,
        example = "tok_visa"
    )]
    token: String,
    /// The order.
    order_id: OrderId,
}

/// What is paid for, how much, and with what.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes the body in the API's document")]
pub(super) struct PayNew {
    /// The order.
    order_id: OrderId,
    /// What the order's total is expected to be.
    amount: bigtix_contracts::Dollars,
    /// A confirmation token (`ctoken_`), a payment method (`pm_`) or a card token (`tok_`) of Stripe's.
    #[schema(
        pattern = "^(pm|tok|ctoken)_[A-Za-z0-9_]+$",
        max_length = 255,
        example = "ctoken_1"
    )]
    confirmation_token_id: String,
}

/// A validated request.
pub(super) struct Request {
    source: Source,
    order: OrderId,
    expected: Option<Cents>,
}

impl Request {
    /// Validates the body of the canonical path.
    pub(super) fn read(mut fields: Fields) -> Result<Self, ApiError> {
        let source = read_source(&mut fields, "token", "Token");
        let order = read_order(&mut fields);
        Self::finish(fields, source, order, None)
    }

    /// Validates the body of the alias.
    pub(super) fn read_alias(mut fields: Fields) -> Result<Self, ApiError> {
        let order = read_order(&mut fields);
        if !fields.has("amount") {
            fields.refuse("amount", "Amount is required");
        }
        let expected = fields.dollars("amount", "Amount");
        let source = read_source(&mut fields, "confirmationTokenId", "Confirmation token id");
        Self::finish(fields, source, order, expected)
    }

    fn finish(
        fields: Fields,
        source: Option<Source>,
        order: Option<OrderId>,
        expected: Option<Cents>,
    ) -> Result<Self, ApiError> {
        fields.finish()?;
        match (source, order) {
            (Some(source), Some(order)) => Ok(Self {
                source,
                order,
                expected,
            }),
            _ => Err(ApiError::internal("a field is missing and was not refused")),
        }
    }

    /// What `buyer` wishes by it.
    pub(super) fn wish(self, buyer: UserId, seed: EffectSeed, trace: TraceParent) -> Wish {
        Wish {
            buyer,
            order: self.order,
            source: self.source,
            expected: self.expected,
            id: PaymentId::from_bytes(seed.id("payment", 0)),
            is_repeated: seed.is_repeated(),
            traceparent: trace.0,
        }
    }
}

fn read_source(fields: &mut Fields, field: &str, label: &str) -> Option<Source> {
    let text = fields.required_text(field, label, 1, 255)?;
    let source = text.parse().ok();
    if source.is_none() {
        fields.refuse(field, format!("{label} is invalid"));
    }
    source
}

fn read_order(fields: &mut Fields) -> Option<OrderId> {
    const FIELD: &str = "orderId";
    let text = match fields.string(FIELD, "Order id") {
        Some(text) => text.trim().to_owned(),
        // Of another type is noted already.
        None if fields.has(FIELD) => return None,
        None => String::new(),
    };
    if text.is_empty() {
        fields.refuse(FIELD, "Order id is required");
        return None;
    }
    let id = text.parse().ok();
    if id.is_none() {
        fields.refuse(FIELD, "Order id is invalid");
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(refused: Result<Request, ApiError>) -> Vec<String> {
        let Err(error) = refused else { return Vec::new() };
        error
            .problem()
            .errors
            .iter()
            .map(|item| item.message.clone())
            .collect()
    }

    fn canonical(body: &str) -> Vec<String> {
        messages(Request::read(Fields::parse(body.as_bytes()).unwrap()))
    }

    #[test]
    fn each_failed_rule_is_named() {
        assert_eq!(canonical("{}"), ["Token is required", "Order id is required"]);
        assert_eq!(
            canonical(r#"{"token": "", "orderId": " "}"#),
            ["Token is required", "Order id is required"]
        );
        assert_eq!(
            canonical(r#"{"token": "4242", "orderId": "1"}"#),
            ["Token is invalid", "Order id is invalid"]
        );
        let types = ["Token must be a string", "Order id must be a string"];
        assert_eq!(canonical(r#"{"token": 1, "orderId": 2}"#), types);
        assert!(canonical(r#"{"token": "tok_visa", "orderId": "64B0C0FFEE0000000000BEEF"}"#).is_empty());
    }

    #[test]
    fn the_alias_wants_an_amount_too() {
        let alias = |body: &str| messages(Request::read_alias(Fields::parse(body.as_bytes()).unwrap()));
        assert_eq!(
            alias("{}"),
            [
                "Order id is required",
                "Amount is required",
                "Confirmation token id is required"
            ]
        );
        let body =
            r#"{"orderId": "64b0c0ffee0000000000beef", "amount": "x", "confirmationTokenId": "ctoken_1"}"#;
        assert_eq!(alias(body), ["Amount must be a number"]);
    }
}
