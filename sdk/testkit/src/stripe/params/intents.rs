//! The parameters of payment intents.

use super::fields::{
    capture_method, charge_amount, currency, flag, flags, known, list, method, one_of, positive, text,
};
use super::{Checked, ConfirmFlags, MethodSource, metadata};
use crate::stripe::error::StripeError;
use crate::stripe::form::Params;
use crate::stripe::intent::{CancellationReason, CaptureMethod};

/// `POST /v1/payment_intents`.
#[derive(Clone, Debug)]
pub(crate) struct NewIntent {
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) capture_method: CaptureMethod,
    pub(crate) confirmation_method: &'static str,
    pub(crate) confirm: bool,
    pub(crate) flags: ConfirmFlags,
    pub(crate) method: Option<MethodSource>,
    pub(crate) metadata: Vec<(String, String)>,
    pub(crate) description: Option<String>,
    pub(crate) receipt_email: Option<String>,
    pub(crate) statement_descriptor_suffix: Option<String>,
    /// The types named, or none when Stripe picks them.
    pub(crate) types: Option<Vec<String>>,
    /// Whether Stripe may pick one that sends the buyer elsewhere.
    pub(crate) redirects: bool,
}

/// `POST /v1/payment_intents/:id`.
#[derive(Clone, Debug)]
pub(crate) struct UpdateIntent {
    pub(crate) amount: Option<i64>,
    pub(crate) method: Option<MethodSource>,
    pub(crate) metadata: Vec<(String, String)>,
    pub(crate) clear_metadata: bool,
    pub(crate) description: Option<String>,
    pub(crate) receipt_email: Option<String>,
}

/// `POST /v1/payment_intents/:id/confirm`.
#[derive(Clone, Debug)]
pub(crate) struct ConfirmIntent {
    pub(crate) method: Option<MethodSource>,
    pub(crate) flags: ConfirmFlags,
}

impl NewIntent {
    pub(crate) fn parse(params: &Params) -> Checked<Self> {
        known(
            params,
            &[
                "allowed_payment_method_types",
                "amount",
                "currency",
                "automatic_payment_methods",
                "capture_method",
                "confirm",
                "confirmation_method",
                "confirmation_token",
                "description",
                "error_on_requires_action",
                "metadata",
                "off_session",
                "payment_method",
                "payment_method_data",
                "payment_method_options",
                "payment_method_types",
                "receipt_email",
                "return_url",
                "statement_descriptor_suffix",
                "use_stripe_sdk",
            ],
        )?;
        let confirm = flag(params, &["confirm"])?.unwrap_or(false);
        for name in [
            "return_url",
            "off_session",
            "error_on_requires_action",
            "confirmation_token",
        ] {
            if !confirm && params.has(&[name]) {
                return Err(StripeError::parameter(
                    name,
                    format!("{name} is only accepted together with confirm=true."),
                ));
            }
        }
        let types = types(params)?;
        let allow = one_of(
            params,
            &["automatic_payment_methods", "allow_redirects"],
            &["always", "never"],
        )?;
        Ok(Self {
            amount: charge_amount(params)?.ok_or_else(|| StripeError::missing("amount"))?,
            currency: currency(params)?,
            capture_method: capture_method(params)?,
            confirmation_method: one_of(params, &["confirmation_method"], &["automatic", "manual"])?
                .unwrap_or("automatic"),
            confirm,
            flags: flags(params)?,
            method: method(params)?,
            metadata: metadata(params)?,
            description: text(params, "description"),
            receipt_email: text(params, "receipt_email"),
            statement_descriptor_suffix: text(params, "statement_descriptor_suffix"),
            redirects: types.is_none() && allow != Some("never"),
            types,
        })
    }
}

impl UpdateIntent {
    pub(crate) fn parse(params: &Params) -> Checked<Self> {
        known(
            params,
            &[
                "amount",
                "payment_method",
                "payment_method_data",
                "metadata",
                "description",
                "receipt_email",
            ],
        )?;
        Ok(Self {
            amount: charge_amount(params)?,
            method: method(params)?,
            metadata: metadata(params)?,
            clear_metadata: params.get(&["metadata"]) == Some(""),
            description: text(params, "description"),
            receipt_email: text(params, "receipt_email"),
        })
    }
}

impl ConfirmIntent {
    pub(crate) fn parse(params: &Params) -> Checked<Self> {
        known(
            params,
            &[
                "payment_method",
                "payment_method_data",
                "payment_method_options",
                "confirmation_token",
                "return_url",
                "off_session",
                "error_on_requires_action",
                "use_stripe_sdk",
                "client_secret",
            ],
        )?;
        Ok(Self {
            method: method(params)?,
            flags: flags(params)?,
        })
    }
}

/// `POST /v1/payment_intents/:id/capture`.
pub(crate) fn capture(params: &Params) -> Checked<Option<i64>> {
    known(params, &["amount_to_capture"])?;
    positive(params, "amount_to_capture")
}

/// `POST /v1/payment_intents/:id/cancel`.
pub(crate) fn cancellation(params: &Params) -> Checked<Option<CancellationReason>> {
    known(params, &["cancellation_reason"])?;
    let reasons = [
        CancellationReason::Duplicate,
        CancellationReason::Fraudulent,
        CancellationReason::RequestedByCustomer,
        CancellationReason::Abandoned,
    ];
    let word = one_of(
        params,
        &["cancellation_reason"],
        &reasons.map(CancellationReason::as_str),
    )?;
    Ok(reasons.into_iter().find(|reason| Some(reason.as_str()) == word))
}

/// The kinds of payment method that the shop takes, in Stripe's present word for it or the former one.
fn types(params: &Params) -> Checked<Option<Vec<String>>> {
    let names = [
        "allowed_payment_method_types",
        "payment_method_types",
        "automatic_payment_methods",
    ];
    let given: Vec<&str> = names.into_iter().filter(|name| params.has(&[name])).collect();
    if let [one, other, ..] = given[..] {
        return Err(StripeError::exclusive(one, other));
    }
    let types = given.first().filter(|name| **name != "automatic_payment_methods");
    match types.and_then(|name| Some((*name, list(params, name)?))) {
        Some((name, types)) if !types.iter().any(|kind| kind == "card") => Err(StripeError::parameter(
            name,
            "The double takes cards, so `card` must be among the types.",
        )),
        types => Ok(types.map(|(_, types)| types)),
    }
}
