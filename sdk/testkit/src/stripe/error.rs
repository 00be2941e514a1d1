//! Refusals in Stripe's shape: `{"error": {"type", "code", "message", "param", ...}}`.

use serde_json::{Map, Value, json};

use super::card::Decline;

/// One refusal.
#[derive(Clone, Debug)]
pub(crate) struct StripeError {
    /// The HTTP status.
    pub(crate) status: u16,
    /// Whether the endpoint had begun to execute: only then is the answer stored under an idempotency key.
    pub(crate) executed: bool,
    fields: Map<String, Value>,
}

impl StripeError {
    fn new(status: u16, kind: &str, message: impl Into<String>) -> Self {
        let mut fields = Map::new();
        fields.insert("type".into(), json!(kind));
        fields.insert("message".into(), json!(message.into()));
        Self {
            status,
            executed: false,
            fields,
        }
    }

    fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "invalid_request_error", message)
    }

    /// A parameter that breaks a rule; nothing was executed.
    pub(crate) fn parameter(param: &str, message: impl Into<String>) -> Self {
        Self::invalid(message).with("param", param)
    }

    /// A parameter that has to be there.
    pub(crate) fn missing(param: &str) -> Self {
        Self::parameter(param, format!("Missing required param: {param}.")).code("parameter_missing")
    }

    /// A parameter that Stripe, or this double, does not know here.
    pub(crate) fn unknown(param: &str) -> Self {
        Self::parameter(param, format!("Received unknown parameter: {param}")).code("parameter_unknown")
    }

    /// Two parameters that rule each other out.
    pub(crate) fn exclusive(one: &str, other: &str) -> Self {
        Self::parameter(one, format!("Pass either {one} or {other}, not both.")).code("parameters_exclusive")
    }

    /// A whole number was expected.
    pub(crate) fn not_an_integer(param: &str, value: &str) -> Self {
        Self::parameter(param, format!("Invalid integer: {value}")).code("parameter_invalid_integer")
    }

    /// The path names an object that is not there.
    pub(crate) fn no_such(kind: &str, id: &str) -> Self {
        let mut error = Self::no_such_parameter(kind, id, "id");
        error.status = 404;
        error
    }

    /// A parameter names an object that is not there.
    pub(crate) fn no_such_parameter(kind: &str, id: &str, param: &str) -> Self {
        Self::parameter(param, format!("No such {kind}: '{id}'"))
            .code("resource_missing")
            .executed()
    }

    /// The path itself is unknown.
    pub(crate) fn no_such_path(method: &str, path: &str) -> Self {
        let mut error = Self::invalid(format!("Unrecognized request URL ({method}: {path})."));
        error.status = 404;
        error
    }

    /// The object's state does not allow the call.
    pub(crate) fn state(code: &str, message: impl Into<String>) -> Self {
        Self::invalid(message).code(code).executed()
    }

    /// No key, or a wrong one.
    pub(crate) fn unauthenticated(message: &str) -> Self {
        Self::new(401, "invalid_request_error", message)
    }

    /// A publishable key where a secret one is needed.
    pub(crate) fn secret_key_required() -> Self {
        let message = "This API call cannot be made with a publishable API key. Use a secret API key.";
        Self::new(403, "invalid_request_error", message).code("secret_key_required")
    }

    /// The card was refused; what payment intent, charge and card, the caller adds.
    pub(crate) fn card(why: Decline) -> Self {
        let error = Self::new(402, "card_error", why.message())
            .code(why.code())
            .executed();
        match why.decline_code() {
            Some(code) => error.with("decline_code", code),
            None => error,
        }
    }

    /// A card number, date or code that cannot be right.
    pub(crate) fn card_data(code: &str, param: &str, message: &str) -> Self {
        Self::new(402, "card_error", message)
            .code(code)
            .with("param", param)
            .executed()
    }

    /// Too many requests.
    pub(crate) fn rate_limited() -> Self {
        let mut error = Self::invalid("Too many requests hit the API too quickly.").code("rate_limit");
        error.status = 429;
        error
    }

    /// Stripe's own trouble.
    pub(crate) fn api() -> Self {
        Self::new(500, "api_error", "An unknown error occurred.").executed()
    }

    /// A request with this idempotency key is running.
    pub(crate) fn key_in_use(key: &str) -> Self {
        let message = format!("Another request with the idempotency key '{key}' is in progress.");
        Self::new(409, "idempotency_error", message).code("idempotency_key_in_use")
    }

    /// The idempotency key was used for something else.
    pub(crate) fn key_reused(message: impl Into<String>) -> Self {
        Self::new(400, "idempotency_error", message)
    }

    /// Marks the answer as one that is stored under an idempotency key.
    pub(crate) fn executed(mut self) -> Self {
        self.executed = true;
        self
    }

    /// Sets `code` and the page that explains it.
    pub(crate) fn code(self, code: &str) -> Self {
        let page = format!("https://stripe.com/docs/error-codes/{}", code.replace('_', "-"));
        self.with("code", code).with("doc_url", page)
    }

    /// Sets one field.
    pub(crate) fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(field.to_owned(), value.into());
        self
    }

    /// What `last_payment_error` keeps of it.
    pub(crate) fn inner(&self) -> Value {
        Value::Object(self.fields.clone())
    }

    /// The body of the answer.
    pub(crate) fn body(&self) -> Value {
        json!({ "error": self.fields })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decline_carries_code_and_decline_code() {
        let body = StripeError::card(Decline::InsufficientFunds).body();
        assert_eq!(body["error"]["type"], "card_error");
        assert_eq!(body["error"]["code"], "card_declined");
        assert_eq!(body["error"]["decline_code"], "insufficient_funds");
        assert_eq!(
            body["error"]["doc_url"],
            "https://stripe.com/docs/error-codes/card-declined"
        );
    }

    #[test]
    fn a_refused_parameter_counts_as_not_executed_and_a_refused_state_as_executed() {
        assert!(!StripeError::missing("amount").executed);
        assert!(StripeError::state("payment_intent_unexpected_state", "no").executed);
        assert_eq!(StripeError::no_such("payment_intent", "pi_1").status, 404);
    }
}
