//! The parameters of each call, checked the way Stripe checks them before it executes anything.

mod fields;
mod intents;

use fields::{integer, known, list, method, one_of, positive, text};
pub(crate) use intents::{ConfirmIntent, NewIntent, UpdateIntent, cancellation, capture};

use super::error::StripeError;
use super::form::Params;

type Checked<T> = Result<T, StripeError>;

/// The least a card can be charged with, in cents.
pub(crate) const LEAST: i64 = 50;
/// The most, in cents.
pub(crate) const MOST: i64 = 99_999_999;

/// Where a card comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CardSource {
    /// A token's id.
    Token(String),
    /// What the buyer typed.
    Typed {
        number: String,
        exp_month: i64,
        exp_year: i64,
    },
}

/// Where a payment method comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MethodSource {
    /// A payment method's id.
    Id(String),
    /// `payment_method_data`.
    Card(CardSource),
    /// A confirmation token's id.
    ConfirmationToken(String),
}

/// How a confirmation goes about 3-D Secure.
#[derive(Clone, Debug, Default)]
pub(crate) struct ConfirmFlags {
    pub(crate) error_on_requires_action: bool,
    pub(crate) off_session: bool,
    pub(crate) use_stripe_sdk: Option<bool>,
    pub(crate) return_url: Option<String>,
    /// `payment_method_options[card][request_three_d_secure]` is `any` or `challenge`.
    pub(crate) ask_three_d_secure: bool,
}

/// `POST /v1/refunds`.
#[derive(Clone, Debug)]
pub(crate) struct NewRefund {
    pub(crate) intent: Option<String>,
    pub(crate) charge: Option<String>,
    pub(crate) amount: Option<i64>,
    pub(crate) reason: Option<&'static str>,
    pub(crate) metadata: Vec<(String, String)>,
}

/// `POST /v1/test_helpers/confirmation_tokens`.
#[derive(Clone, Debug)]
pub(crate) struct NewConfirmationToken {
    pub(crate) method: MethodSource,
    pub(crate) return_url: Option<String>,
}

/// `POST /v1/webhook_endpoints`.
#[derive(Clone, Debug)]
pub(crate) struct NewEndpoint {
    pub(crate) url: String,
    pub(crate) events: Vec<String>,
}

/// Which part of a list, newest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Page {
    pub(crate) limit: usize,
    pub(crate) starting_after: Option<String>,
    pub(crate) ending_before: Option<String>,
    /// Seconds since 1970, inclusive.
    pub(crate) created: (i64, i64),
    /// Filters of the list at hand.
    pub(crate) filters: Vec<(String, String)>,
}

impl NewRefund {
    pub(crate) fn parse(params: &Params) -> Checked<Self> {
        known(
            params,
            &["payment_intent", "charge", "amount", "reason", "metadata"],
        )?;
        let (intent, charge) = (text(params, "payment_intent"), text(params, "charge"));
        if intent.is_none() && charge.is_none() {
            return Err(StripeError::missing("payment_intent"));
        }
        let reasons = ["duplicate", "fraudulent", "requested_by_customer"];
        Ok(Self {
            intent,
            charge,
            amount: positive(params, "amount")?,
            reason: one_of(params, &["reason"], &reasons)?,
            metadata: metadata(params)?,
        })
    }
}

impl NewConfirmationToken {
    pub(crate) fn parse(params: &Params) -> Checked<Self> {
        known(
            params,
            &[
                "payment_method",
                "payment_method_data",
                "return_url",
                "use_stripe_sdk",
            ],
        )?;
        let method = method(params)?.ok_or_else(|| StripeError::missing("payment_method"))?;
        Ok(Self {
            method,
            return_url: text(params, "return_url"),
        })
    }
}

impl NewEndpoint {
    pub(crate) fn parse(params: &Params) -> Checked<Self> {
        known(
            params,
            &["url", "enabled_events", "description", "metadata", "api_version"],
        )?;
        let url = text(params, "url").ok_or_else(|| StripeError::missing("url"))?;
        if !url.starts_with("http://") {
            return Err(
                StripeError::parameter("url", "The double delivers to http:// addresses only.")
                    .code("url_invalid"),
            );
        }
        let events = list(params, "enabled_events").ok_or_else(|| StripeError::missing("enabled_events"))?;
        Ok(Self { url, events })
    }
}

impl Page {
    pub(crate) fn parse(params: &Params, filters: &[&str]) -> Checked<Self> {
        let own = ["limit", "starting_after", "ending_before", "created"];
        known(params, &[&own, filters].concat())?;
        let limit = integer(params, &["limit"])?.unwrap_or(10);
        if !(1..=100).contains(&limit) {
            return Err(
                StripeError::parameter("limit", "limit must be between 1 and 100.")
                    .code("parameter_invalid_integer"),
            );
        }
        let exactly = integer(params, &["created"])?;
        let bound = |name, shift: i64, default| {
            integer(params, &["created", name]).map(|at| at.map_or(default, |at| at.saturating_add(shift)))
        };
        let oldest = exactly.unwrap_or(bound("gte", 0, i64::MIN)?.max(bound("gt", 1, i64::MIN)?));
        let newest = exactly.unwrap_or(bound("lte", 0, i64::MAX)?.min(bound("lt", -1, i64::MAX)?));
        let mut wanted = Vec::new();
        for &name in filters {
            wanted.extend(text(params, name).map(|value| (name.to_owned(), value)));
            wanted.extend(
                list(params, name)
                    .into_iter()
                    .flatten()
                    .map(|value| (name.to_owned(), value)),
            );
        }
        Ok(Self {
            limit: usize::try_from(limit).unwrap_or(10),
            starting_after: text(params, "starting_after"),
            ending_before: text(params, "ending_before"),
            created: (oldest, newest),
            filters: wanted,
        })
    }

    pub(crate) fn filter(&self, name: &str) -> impl Iterator<Item = &str> {
        self.filters
            .iter()
            .filter(move |(filter, _)| filter == name)
            .map(|(_, value)| value.as_str())
    }
}

impl CardSource {
    /// `POST /v1/payment_methods`.
    pub(crate) fn of_method(params: &Params) -> Checked<Self> {
        known(
            params,
            &["type", "card", "billing_details", "metadata", "allow_redisplay"],
        )?;
        Self::parse(params, &[])
    }

    /// `POST /v1/tokens`.
    pub(crate) fn of_token(params: &Params) -> Checked<Self> {
        known(params, &["card"])?;
        typed(params, &["card"])
    }

    /// `type` and `card` below `path`.
    fn parse(params: &Params, path: &[&str]) -> Checked<Self> {
        let at = |rest: &[&'static str]| -> Vec<String> {
            path.iter().chain(rest).map(|name| (*name).to_owned()).collect()
        };
        let get = |rest: &[&'static str]| {
            let path = at(rest);
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            params
                .get(&path)
                .filter(|value| !value.is_empty())
                .map(str::to_owned)
        };
        match get(&["type"]).as_deref() {
            Some("card") => {}
            Some(other) => {
                return Err(StripeError::parameter(
                    "type",
                    format!("The double knows no payment method of type {other}."),
                ));
            }
            None => return Err(StripeError::missing("type")),
        }
        match get(&["card", "token"]) {
            Some(token) => Ok(Self::Token(token)),
            None => typed(
                params,
                &at(&["card"]).iter().map(String::as_str).collect::<Vec<_>>(),
            ),
        }
    }
}

fn typed(params: &Params, path: &[&str]) -> Checked<CardSource> {
    let below = |name| path.iter().copied().chain([name]).collect::<Vec<_>>();
    let number = params.get(&below("number")).filter(|number| !number.is_empty());
    let number = number
        .ok_or_else(|| StripeError::missing("card[number]"))?
        .to_owned();
    let exp_month =
        integer(params, &below("exp_month"))?.ok_or_else(|| StripeError::missing("card[exp_month]"))?;
    let exp_year =
        integer(params, &below("exp_year"))?.ok_or_else(|| StripeError::missing("card[exp_year]"))?;
    Ok(CardSource::Typed {
        number,
        exp_month,
        exp_year: if exp_year < 100 {
            exp_year + 2_000
        } else {
            exp_year
        },
    })
}

/// No parameters but these and `expand`.
pub(crate) fn none(params: &Params, names: &[&str]) -> Checked<()> {
    known(params, names)
}

/// At most 50 pairs, keys of at most 40 and values of at most 500 characters.
pub(crate) fn metadata(params: &Params) -> Checked<Vec<(String, String)>> {
    let pairs = params.children(&["metadata"]);
    if pairs.len() > 50 {
        return Err(StripeError::parameter(
            "metadata",
            "Metadata holds at most 50 keys.",
        ));
    }
    for (key, value) in &pairs {
        if key.chars().count() > 40 || value.chars().count() > 500 {
            let rule = "Metadata keys have at most 40 characters and values at most 500.";
            return Err(StripeError::parameter(&format!("metadata[{key}]"), rule));
        }
    }
    Ok(pairs
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect())
}

#[cfg(test)]
mod tests;
