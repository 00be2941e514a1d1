//! Single parameters.

use super::{CardSource, Checked, ConfirmFlags, LEAST, MOST, MethodSource};
use crate::stripe::error::StripeError;
use crate::stripe::form::Params;
use crate::stripe::intent::CaptureMethod;

/// Refuses the first name that is neither in `names` nor `expand`.
pub(super) fn known(params: &Params, names: &[&str]) -> Checked<()> {
    match params.unknown(&[names, &["expand"]].concat()) {
        Some(name) => Err(StripeError::unknown(name)),
        None => Ok(()),
    }
}

/// A text; an empty one counts as absent.
pub(super) fn text(params: &Params, name: &str) -> Option<String> {
    params
        .get(&[name])
        .filter(|value| !value.is_empty())
        .map(str::to_owned)
}

/// `name[]`, when there is any.
pub(super) fn list(params: &Params, name: &str) -> Option<Vec<String>> {
    let values: Vec<String> = params
        .children(&[name])
        .into_iter()
        .map(|(_, value)| value.to_owned())
        .collect();
    (!values.is_empty()).then_some(values)
}

/// `true` or `false`.
pub(super) fn flag(params: &Params, path: &[&str]) -> Checked<Option<bool>> {
    match params.get(path) {
        None | Some("") => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(other) => Err(StripeError::parameter(
            &path.join("."),
            format!("Invalid boolean: {other}"),
        )),
    }
}

/// A whole number.
pub(super) fn integer(params: &Params, path: &[&str]) -> Checked<Option<i64>> {
    match params.get(path) {
        None | Some("") => Ok(None),
        Some(value) => value
            .parse()
            .map(Some)
            .map_err(|_| StripeError::not_an_integer(path.last().copied().unwrap_or_default(), value)),
    }
}

/// A positive whole number.
pub(super) fn positive(params: &Params, name: &str) -> Checked<Option<i64>> {
    match integer(params, &[name])? {
        Some(value) if value < 1 => Err(StripeError::parameter(
            name,
            "This value must be greater than or equal to 1.",
        )
        .code("parameter_invalid_integer")),
        value => Ok(value),
    }
}

/// One of these words.
pub(super) fn one_of<'a>(params: &Params, path: &[&str], words: &[&'a str]) -> Checked<Option<&'a str>> {
    match params.get(path) {
        None | Some("") => Ok(None),
        Some(value) => match words.iter().find(|word| **word == value) {
            Some(word) => Ok(Some(word)),
            None => {
                let name = path.last().copied().unwrap_or_default();
                Err(StripeError::parameter(
                    name,
                    format!("Invalid {name}: must be one of {}", words.join(", ")),
                ))
            }
        },
    }
}

/// `amount`, within what a card can be charged with.
pub(super) fn charge_amount(params: &Params) -> Checked<Option<i64>> {
    match positive(params, "amount")? {
        Some(amount) if amount < LEAST => Err(StripeError::parameter(
            "amount",
            format!("Amount must be at least {LEAST} cents."),
        )
        .code("amount_too_small")),
        Some(amount) if amount > MOST => Err(StripeError::parameter(
            "amount",
            format!("Amount must be no more than {MOST} cents."),
        )
        .code("amount_too_large")),
        amount => Ok(amount),
    }
}

/// `currency`: three letters, lowered.
pub(super) fn currency(params: &Params) -> Checked<String> {
    let currency = text(params, "currency")
        .ok_or_else(|| StripeError::missing("currency"))?
        .to_lowercase();
    if currency.len() != 3 || !currency.bytes().all(|letter| letter.is_ascii_lowercase()) {
        return Err(StripeError::parameter(
            "currency",
            format!("Invalid currency: {currency}."),
        ));
    }
    Ok(currency)
}

/// `capture_method`; Stripe's present versions default to `automatic_async`.
pub(super) fn capture_method(params: &Params) -> Checked<CaptureMethod> {
    let methods = [
        CaptureMethod::Automatic,
        CaptureMethod::AutomaticAsync,
        CaptureMethod::Manual,
    ];
    let word = one_of(params, &["capture_method"], &methods.map(CaptureMethod::as_str))?;
    let named = methods.into_iter().find(|method| Some(method.as_str()) == word);
    Ok(named.unwrap_or(CaptureMethod::AutomaticAsync))
}

/// The one card that comes along, if any.
pub(super) fn method(params: &Params) -> Checked<Option<MethodSource>> {
    let names = ["payment_method", "payment_method_data", "confirmation_token"];
    let given: Vec<&str> = names.into_iter().filter(|name| params.has(&[name])).collect();
    if let [one, other, ..] = given[..] {
        return Err(StripeError::exclusive(one, other));
    }
    if params.has(&["payment_method_data"]) {
        return CardSource::parse(params, &["payment_method_data"])
            .map(|card| Some(MethodSource::Card(card)));
    }
    let id = text(params, "payment_method").map(MethodSource::Id);
    Ok(id.or_else(|| text(params, "confirmation_token").map(MethodSource::ConfirmationToken)))
}

/// What a confirmation says about 3-D Secure.
pub(super) fn flags(params: &Params) -> Checked<ConfirmFlags> {
    let wish = ["payment_method_options", "card", "request_three_d_secure"];
    let off_session = match params.get(&["off_session"]) {
        // Stripe takes these words as well as a boolean.
        Some("one_off" | "recurring") => true,
        _ => flag(params, &["off_session"])?.unwrap_or(false),
    };
    Ok(ConfirmFlags {
        error_on_requires_action: flag(params, &["error_on_requires_action"])?.unwrap_or(false),
        off_session,
        use_stripe_sdk: flag(params, &["use_stripe_sdk"])?,
        return_url: text(params, "return_url"),
        ask_three_d_secure: one_of(params, &wish, &["any", "automatic", "challenge"])?
            .is_some_and(|it| it != "automatic"),
    })
}
