//! From method, path and parameters to one typed call: the route table of the double.

use super::error::StripeError;
use super::fault::Operation;
use super::form::Params;
use super::intent::CancellationReason;
use super::params::{
    self, CardSource, ConfirmFlags, ConfirmIntent, MethodSource, NewConfirmationToken, NewEndpoint,
    NewIntent, NewRefund, Page, UpdateIntent,
};

/// One call of the API, its parameters checked.
#[derive(Clone, Debug)]
pub(crate) enum Call {
    CreateIntent(Box<NewIntent>),
    RetrieveIntent(String),
    UpdateIntent(String, UpdateIntent),
    ConfirmIntent(String, ConfirmIntent),
    CaptureIntent(String, Option<i64>),
    CancelIntent(String, Option<CancellationReason>),
    ListIntents(Page),
    CreateRefund(NewRefund),
    RetrieveRefund(String),
    UpdateRefund(String, Vec<(String, String)>),
    ListRefunds(Page),
    RetrieveCharge(String),
    ListCharges(Page),
    CreateMethod(CardSource),
    RetrieveMethod(String),
    CreateToken(CardSource),
    RetrieveToken(String),
    CreateConfirmationToken(NewConfirmationToken),
    RetrieveConfirmationToken(String),
    RetrieveEvent(String),
    ListEvents(Page),
    CreateEndpoint(NewEndpoint),
    RetrieveEndpoint(String),
    DeleteEndpoint(String),
    ListEndpoints,
}

/// Who may make a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Only the shop.
    Secret,
    /// The buyer's browser too.
    Publishable,
    /// The buyer's browser too, if it knows the intent's client secret.
    ClientSecret,
}

/// Who may call this path.
pub(crate) fn access(method: &str, path: &[&str]) -> Access {
    match (method, path) {
        ("POST", ["tokens" | "payment_methods" | "confirmation_tokens"]) => Access::Publishable,
        ("GET", ["payment_intents", _]) | ("POST", ["payment_intents", _, "confirm"]) => Access::ClientSecret,
        _ => Access::Secret,
    }
}

/// The call behind a path below `/v1`, or `None` when there is no such path.
///
/// # Errors
/// Parameters that break a rule: nothing is executed.
pub(crate) fn parse(method: &str, path: &[&str], params: &Params) -> Option<Result<Call, StripeError>> {
    let id = || path.get(1).map(|id| (*id).to_owned()).unwrap_or_default();
    Some(match (method, path) {
        ("POST", ["payment_intents"]) => {
            NewIntent::parse(params).map(|new| Call::CreateIntent(Box::new(new)))
        }
        ("GET", ["payment_intents"]) => Page::parse(params, &[]).map(Call::ListIntents),
        ("GET", ["payment_intents", _]) => {
            params::none(params, &["client_secret"]).map(|()| Call::RetrieveIntent(id()))
        }
        ("POST", ["payment_intents", _]) => {
            UpdateIntent::parse(params).map(|update| Call::UpdateIntent(id(), update))
        }
        ("POST", ["payment_intents", _, "confirm"]) => {
            ConfirmIntent::parse(params).map(|confirm| Call::ConfirmIntent(id(), confirm))
        }
        ("POST", ["payment_intents", _, "capture"]) => {
            params::capture(params).map(|amount| Call::CaptureIntent(id(), amount))
        }
        ("POST", ["payment_intents", _, "cancel"]) => {
            params::cancellation(params).map(|reason| Call::CancelIntent(id(), reason))
        }
        ("POST", ["refunds"]) => NewRefund::parse(params).map(Call::CreateRefund),
        ("GET", ["refunds"]) => Page::parse(params, &["payment_intent", "charge"]).map(Call::ListRefunds),
        ("GET", ["refunds", _]) => params::none(params, &[]).map(|()| Call::RetrieveRefund(id())),
        ("POST", ["refunds", _]) => params::none(params, &["metadata"])
            .and_then(|()| params::metadata(params))
            .map(|it| Call::UpdateRefund(id(), it)),
        ("GET", ["charges"]) => Page::parse(params, &["payment_intent"]).map(Call::ListCharges),
        ("GET", ["charges", _]) => params::none(params, &[]).map(|()| Call::RetrieveCharge(id())),
        ("POST", ["payment_methods"]) => CardSource::of_method(params).map(Call::CreateMethod),
        ("GET", ["payment_methods", _]) => params::none(params, &[]).map(|()| Call::RetrieveMethod(id())),
        ("POST", ["tokens"]) => CardSource::of_token(params).map(Call::CreateToken),
        ("GET", ["tokens", _]) => params::none(params, &[]).map(|()| Call::RetrieveToken(id())),
        ("POST", ["test_helpers", "confirmation_tokens"] | ["confirmation_tokens"]) => {
            NewConfirmationToken::parse(params).map(Call::CreateConfirmationToken)
        }
        ("GET", ["confirmation_tokens", _]) => {
            params::none(params, &[]).map(|()| Call::RetrieveConfirmationToken(id()))
        }
        ("GET", ["events"]) => Page::parse(params, &["type", "types"]).map(Call::ListEvents),
        ("GET", ["events", _]) => params::none(params, &[]).map(|()| Call::RetrieveEvent(id())),
        ("POST", ["webhook_endpoints"]) => NewEndpoint::parse(params).map(Call::CreateEndpoint),
        ("GET", ["webhook_endpoints"]) => Page::parse(params, &[]).map(|_| Call::ListEndpoints),
        ("GET", ["webhook_endpoints", _]) => params::none(params, &[]).map(|()| Call::RetrieveEndpoint(id())),
        ("DELETE", ["webhook_endpoints", _]) => Ok(Call::DeleteEndpoint(id())),
        _ => return None,
    })
}

impl Call {
    /// What a fault plan calls it.
    pub(crate) fn operation(&self) -> Option<Operation> {
        match self {
            Self::CreateIntent(_) => Some(Operation::Create),
            Self::ConfirmIntent(..) => Some(Operation::Confirm),
            Self::CaptureIntent(..) => Some(Operation::Capture),
            Self::CancelIntent(..) => Some(Operation::Cancel),
            Self::RetrieveIntent(_) => Some(Operation::Retrieve),
            Self::ListIntents(_) => Some(Operation::List),
            Self::CreateRefund(_) => Some(Operation::Refund),
            Self::UpdateIntent(..)
            | Self::RetrieveRefund(_)
            | Self::UpdateRefund(..)
            | Self::ListRefunds(_)
            | Self::RetrieveCharge(_)
            | Self::ListCharges(_)
            | Self::CreateMethod(_)
            | Self::RetrieveMethod(_)
            | Self::CreateToken(_)
            | Self::RetrieveToken(_)
            | Self::CreateConfirmationToken(_)
            | Self::RetrieveConfirmationToken(_)
            | Self::RetrieveEvent(_)
            | Self::ListEvents(_)
            | Self::CreateEndpoint(_)
            | Self::RetrieveEndpoint(_)
            | Self::DeleteEndpoint(_)
            | Self::ListEndpoints => None,
        }
    }

    /// The card that it brings along.
    pub(crate) fn method(&self) -> Option<&MethodSource> {
        match self {
            Self::CreateIntent(new) => new.method.as_ref(),
            Self::ConfirmIntent(_, confirm) => confirm.method.as_ref(),
            _ => None,
        }
    }

    /// The payment intent that it is about.
    pub(crate) fn intent(&self) -> Option<&str> {
        match self {
            Self::RetrieveIntent(id)
            | Self::UpdateIntent(id, _)
            | Self::ConfirmIntent(id, _)
            | Self::CaptureIntent(id, _)
            | Self::CancelIntent(id, _) => Some(id),
            Self::CreateRefund(refund) => refund.intent.as_deref(),
            _ => None,
        }
    }
}

impl ConfirmFlags {
    /// Whether 3-D Secure cannot happen: the buyer is not there, or the shop does not want it.
    pub(crate) fn refuse_challenge(&self) -> bool {
        self.off_session || self.error_on_requires_action
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(method: &str, path: &str, form: &str) -> Option<Result<Call, StripeError>> {
        let path: Vec<&str> = path.split('/').collect();
        parse(
            method,
            &path,
            &Params::parse(form.as_bytes()).expect("well-formed"),
        )
    }

    #[test]
    fn a_path_and_its_parameters_become_a_call() {
        let create = call(
            "POST",
            "payment_intents",
            "amount=2000&currency=usd&confirm=true&payment_method=pm_card_visa",
        );
        let create = create.expect("a path").expect("accepted");
        assert_eq!(create.operation(), Some(Operation::Create));
        assert!(matches!(create.method(), Some(MethodSource::Id(id)) if id == "pm_card_visa"));
        let capture = call("POST", "payment_intents/pi_1/capture", "amount_to_capture=7").expect("a path");
        assert!(matches!(capture, Ok(Call::CaptureIntent(id, Some(7))) if id == "pi_1"));
    }

    #[test]
    fn other_paths_are_unknown() {
        for (method, path) in [
            ("GET", "customers"),
            ("DELETE", "payment_intents/pi_1"),
            ("POST", "charges"),
            ("GET", ""),
        ] {
            assert!(call(method, path, "").is_none(), "{method} {path}");
        }
    }

    #[test]
    fn an_unknown_parameter_is_refused() {
        for (method, path, form) in [
            ("POST", "payment_intents", "amount=2000&currency=usd&colour=red"),
            ("GET", "payment_intents", "order=asc"),
            ("POST", "payment_intents/pi_1/capture", "amount=7"),
        ] {
            let error = call(method, path, form).expect("a path").expect_err("refused");
            assert_eq!(error.body()["error"]["code"], "parameter_unknown", "{form}");
        }
    }

    #[test]
    fn the_browser_may_make_tokens_but_not_take_money() {
        assert_eq!(access("POST", &["tokens"]), Access::Publishable);
        assert_eq!(access("POST", &["payment_intents"]), Access::Secret);
        assert_eq!(
            access("POST", &["payment_intents", "pi_1", "confirm"]),
            Access::ClientSecret
        );
        assert_eq!(
            access("POST", &["payment_intents", "pi_1", "capture"]),
            Access::Secret
        );
        assert_eq!(
            access("POST", &["test_helpers", "confirmation_tokens"]),
            Access::Secret
        );
    }
}
