//! Cards on their way in: tokens, payment methods and confirmation tokens.

use serde_json::Value;

use super::account::{Account, Answered, ConfirmationRecord, Context, Given, MethodRecord, TokenRecord};
use super::card::{self, Card};
use super::error::StripeError;
use super::fault;
use super::params::{CardSource, MethodSource, NewConfirmationToken};
use super::render::confirmation_is_fresh;

/// The cards behind Stripe's names are valid for long.
const NAMED_EXPIRY: (i64, i64) = (8, 2_035);

impl Account {
    pub(crate) fn create_token(&mut self, source: CardSource, context: &Context) -> Answered<Value> {
        let given = self.given(&source, context)?;
        let id = self.issue("tok");
        let token = TokenRecord {
            id: id.clone(),
            created: context.now,
            given,
            used: false,
        };
        let json = self.token_json(&token);
        self.tokens.insert(&id, token);
        Ok(json)
    }

    pub(crate) fn create_method(&mut self, source: CardSource, context: &Context) -> Answered<Value> {
        let given = self.given(&source, context)?;
        let id = self.mint(given, context);
        let method = self
            .methods
            .get(&id)
            .ok_or_else(|| StripeError::no_such("PaymentMethod", &id))?;
        Ok(self.method_json(method))
    }

    pub(crate) fn create_confirmation_token(
        &mut self,
        new: NewConfirmationToken,
        context: &Context,
    ) -> Answered<Value> {
        let given = match &new.method {
            MethodSource::Id(id) => match self.methods.get(id) {
                Some(method) => method.given.clone(),
                None => named(id, "pm_card_")
                    .ok_or_else(|| StripeError::no_such_parameter("PaymentMethod", id, "payment_method"))?,
            },
            MethodSource::Card(source) => self.given(source, context)?,
            MethodSource::ConfirmationToken(id) => {
                return Err(StripeError::no_such_parameter(
                    "PaymentMethod",
                    id,
                    "payment_method",
                ));
            }
        };
        let id = self.issue("ctoken");
        let token = ConfirmationRecord {
            id: id.clone(),
            created: context.now,
            given,
            return_url: new.return_url,
            intent: None,
        };
        let json = self.confirmation_json(&token);
        self.confirmations.insert(&id, token);
        Ok(json)
    }

    /// The id of the payment method that is meant; names and tokens become one.
    pub(crate) fn resolve(&mut self, source: &MethodSource, context: &Context) -> Answered<Chosen> {
        match source {
            MethodSource::Id(id) => self.existing(id, context).map(Chosen::method),
            MethodSource::Card(source) => {
                let given = self.given(source, context)?;
                Ok(Chosen::method(self.mint(given, context)))
            }
            MethodSource::ConfirmationToken(id) => {
                let Some(token) = self.confirmations.get(id) else {
                    return Err(StripeError::no_such_parameter(
                        "confirmation_token",
                        id,
                        "confirmation_token",
                    ));
                };
                if token.intent.is_some() {
                    let message = format!("The confirmation token {id} has already been used.");
                    return Err(StripeError::parameter("confirmation_token", message).executed());
                }
                if !confirmation_is_fresh(token.created, context.now) {
                    let message = format!("The confirmation token {id} has expired.");
                    return Err(StripeError::parameter("confirmation_token", message).executed());
                }
                let (given, return_url) = (token.given.clone(), token.return_url.clone());
                let method = self.mint(given, context);
                Ok(Chosen {
                    method,
                    confirmation: Some(id.clone()),
                    return_url,
                })
            }
        }
    }

    fn existing(&mut self, id: &str, context: &Context) -> Answered<String> {
        if let Some(method) = self.methods.get(id) {
            if method.spent_on.is_some() {
                let message = "This PaymentMethod has paid already and belongs to no customer; it may not be used again.";
                return Err(StripeError::state("payment_method_unexpected_state", message)
                    .with("param", "payment_method"));
            }
            return Ok(id.to_owned());
        }
        let given = named(id, "pm_card_")
            .ok_or_else(|| StripeError::no_such_parameter("PaymentMethod", id, "payment_method"))?;
        Ok(self.mint(given, context))
    }

    fn given(&mut self, source: &CardSource, context: &Context) -> Answered<Given> {
        match source {
            CardSource::Token(id) => self.redeem(id),
            CardSource::Typed {
                number,
                exp_month,
                exp_year,
            } => typed(number, *exp_month, *exp_year, context.now),
        }
    }

    /// A token pays once; Stripe's own names (`tok_visa`) never wear out.
    fn redeem(&mut self, id: &str) -> Answered<Given> {
        if let Some(token) = self.tokens.get_mut(id) {
            if token.used {
                let message = format!("You cannot use a Stripe token more than once: {id}.");
                return Err(StripeError::state("token_already_used", message));
            }
            token.used = true;
            return Ok(token.given.clone());
        }
        named(id, "tok_").ok_or_else(|| StripeError::no_such_parameter("token", id, "card[token]"))
    }

    fn mint(&mut self, given: Given, context: &Context) -> String {
        let id = self.issue("pm");
        let method = MethodRecord {
            id: id.clone(),
            created: context.now,
            given,
            spent_on: None,
        };
        self.methods.insert(&id, method);
        id
    }
}

/// What a call's card came to.
#[derive(Debug)]
pub(crate) struct Chosen {
    /// The payment method.
    pub(crate) method: String,
    /// The confirmation token that it came from.
    pub(crate) confirmation: Option<String>,
    /// Where that token sends the buyer back to.
    pub(crate) return_url: Option<String>,
}

impl Chosen {
    fn method(method: String) -> Self {
        Self {
            method,
            confirmation: None,
            return_url: None,
        }
    }
}

fn named(id: &str, prefix: &str) -> Option<Given> {
    let (name, fault) = fault::carried_by(id);
    let card = Card::named(name.strip_prefix(prefix)?)?;
    let (exp_month, exp_year) = NAMED_EXPIRY;
    Some(Given {
        card,
        exp_month,
        exp_year,
        fault,
    })
}

/// A card that somebody typed; seconds since 1970 tell what is past.
fn typed(number: &str, exp_month: i64, exp_year: i64, now: i64) -> Answered<Given> {
    if !(1..=12).contains(&exp_month) {
        let message = "Your card's expiration month is invalid.";
        return Err(StripeError::card_data(
            "invalid_expiry_month",
            "exp_month",
            message,
        ));
    }
    // The year's end is enough of a calendar here.
    if exp_year < 1_970 + now / 31_556_952 || exp_year > 2_100 {
        let message = "Your card's expiration year is invalid.";
        return Err(StripeError::card_data("invalid_expiry_year", "exp_year", message));
    }
    match Card::numbered(number) {
        Some(card) => Ok(Given {
            card,
            exp_month,
            exp_year,
            fault: None,
        }),
        None if card::number_is_plausible(number) => {
            let message = "Your card was declined. Your request was in test mode, but used a non test card.";
            Err(StripeError::card_data("card_declined", "number", message)
                .with("decline_code", "test_mode_live_card"))
        }
        None => Err(StripeError::card_data(
            "incorrect_number",
            "number",
            "Your card number is incorrect.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first second of 2026.
    const NOW: i64 = 1_767_225_600;

    fn code(refused: Answered<Given>) -> String {
        refused.expect_err("refused").body()["error"]["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    #[test]
    fn a_typed_card_is_checked() {
        assert_eq!(
            typed("4242 4242 4242 4242", 12, 2_026, NOW)
                .expect("accepted")
                .card
                .last4(),
            "4242"
        );
        assert_eq!(
            code(typed("4242424242424241", 12, 2_026, NOW)),
            "incorrect_number"
        );
        assert_eq!(code(typed("4111111111111111", 12, 2_026, NOW)), "card_declined");
        assert_eq!(
            code(typed("4242424242424242", 13, 2_026, NOW)),
            "invalid_expiry_month"
        );
        assert_eq!(
            code(typed("4242424242424242", 12, 2_025, NOW)),
            "invalid_expiry_year"
        );
    }

    #[test]
    fn a_token_pays_once_and_a_name_for_ever() {
        let (mut account, context) = (
            Account::default(),
            Context {
                now: NOW,
                ..Context::default()
            },
        );
        let source = CardSource::Typed {
            number: "4242424242424242".into(),
            exp_month: 1,
            exp_year: 2_030,
        };
        let token = account.create_token(source, &context).expect("made");
        let id = token["id"].as_str().expect("an id").to_owned();
        assert!(account.redeem(&id).is_ok());
        assert_eq!(code(account.redeem(&id)), "token_already_used");
        assert!(account.redeem("tok_visa").is_ok() && account.redeem("tok_visa").is_ok());
        assert_eq!(code(account.redeem("tok_nobody")), "resource_missing");
    }

    #[test]
    fn a_confirmation_token_wears_out() {
        let (mut account, context) = (
            Account::default(),
            Context {
                now: NOW,
                ..Context::default()
            },
        );
        let new = NewConfirmationToken {
            method: MethodSource::Id("pm_card_visa".into()),
            return_url: None,
        };
        let token = account.create_confirmation_token(new, &context).expect("made");
        let id = token["id"].as_str().expect("an id").to_owned();
        let source = MethodSource::ConfirmationToken(id);
        assert!(account.resolve(&source, &context).is_ok());
        let later = Context {
            now: NOW + 12 * 3_600,
            ..Context::default()
        };
        assert!(account.resolve(&source, &later).is_err());
    }
}
