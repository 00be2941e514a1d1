//! Stripe's test cards: what each number, token and payment method name makes the bank do.

use serde::Serialize;

/// Why a bank or Stripe refuses a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decline {
    /// No reason given.
    Generic,
    /// Not enough money.
    InsufficientFunds,
    /// Reported lost.
    LostCard,
    /// Reported stolen.
    StolenCard,
    /// Blocked as fraud.
    Fraudulent,
    /// Past its date.
    ExpiredCard,
    /// Wrong security code.
    IncorrectCvc,
    /// Trouble on the way to the bank.
    ProcessingError,
    /// The bank insists on 3-D Secure where the shop ruled it out.
    AuthenticationRequired,
}

impl Decline {
    /// Stripe's `code`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Generic
            | Self::InsufficientFunds
            | Self::LostCard
            | Self::StolenCard
            | Self::Fraudulent => "card_declined",
            Self::ExpiredCard => "expired_card",
            Self::IncorrectCvc => "incorrect_cvc",
            Self::ProcessingError => "processing_error",
            Self::AuthenticationRequired => "authentication_required",
        }
    }

    /// Stripe's `decline_code`; some codes have none.
    pub fn decline_code(self) -> Option<&'static str> {
        match self {
            Self::Generic => Some("generic_decline"),
            Self::InsufficientFunds => Some("insufficient_funds"),
            Self::LostCard => Some("lost_card"),
            Self::StolenCard => Some("stolen_card"),
            Self::Fraudulent => Some("fraudulent"),
            Self::AuthenticationRequired => Some("authentication_required"),
            Self::ExpiredCard | Self::IncorrectCvc | Self::ProcessingError => None,
        }
    }

    /// What the buyer is told; part of the wire contract because shops show it.
    pub fn message(self) -> &'static str {
        match self {
            Self::Generic | Self::LostCard | Self::StolenCard | Self::Fraudulent => "Your card was declined.",
            Self::InsufficientFunds => "Your card has insufficient funds.",
            Self::ExpiredCard => "Your card has expired.",
            Self::IncorrectCvc => "Your card's security code is incorrect.",
            Self::ProcessingError => {
                "An error occurred while processing your card. Try again in a little bit."
            }
            Self::AuthenticationRequired => {
                "Your card was declined. This transaction requires authentication."
            }
        }
    }
}

/// What the bank answers when it is asked for the money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The money is put on hold.
    Approved,
    /// It is not.
    Declined(Decline),
    /// The bank answers later: the intent stays `processing` until it is settled.
    Pending,
}

/// How a refund to this card goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RefundCourse {
    /// At once.
    Immediate,
    /// `pending` until it is settled.
    Pending,
    /// `succeeded` at first; fails when it is settled.
    FailsLater,
}

/// One test card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Card {
    /// The number printed on it.
    pub(crate) number: &'static str,
    /// What follows `tok_` and `pm_card_` in its names.
    names: &'static [&'static str],
    /// `visa`, `mastercard`, `amex`, `discover`.
    pub(crate) brand: &'static str,
    /// `credit` or `debit`.
    pub(crate) funding: &'static str,
    /// Whether the buyer's bank asks for 3-D Secure first.
    pub(crate) challenge: bool,
    /// What the bank then answers.
    pub(crate) verdict: Verdict,
    /// Whether the buyer disputes the charge at once.
    pub(crate) disputes: bool,
    /// How refunds to it go.
    pub(crate) refunds: RefundCourse,
}

impl Card {
    /// The last four digits.
    pub(crate) fn last4(&self) -> &'static str {
        &self.number[self.number.len() - 4..]
    }

    /// The card of a bare name such as `visa` (from `tok_visa` or `pm_card_visa`).
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        CARDS.iter().find(|card| card.names.contains(&name))
    }

    /// The card of a number; spaces are ignored.
    pub(crate) fn numbered(number: &str) -> Option<&'static Self> {
        let digits: String = number.chars().filter(|c| !c.is_whitespace()).collect();
        CARDS.iter().find(|card| card.number == digits)
    }

    const fn declined(mut self, why: Decline) -> Self {
        self.verdict = Verdict::Declined(why);
        self
    }

    const fn challenged(mut self) -> Self {
        self.challenge = true;
        self
    }

    const fn pending(mut self) -> Self {
        self.verdict = Verdict::Pending;
        self
    }

    const fn disputed(mut self) -> Self {
        self.disputes = true;
        self
    }

    const fn refunding(mut self, refunds: RefundCourse) -> Self {
        self.refunds = refunds;
        self
    }

    const fn debit(mut self) -> Self {
        self.funding = "debit";
        self
    }
}

/// Whether the digits of a card number are consistent (Luhn).
pub(crate) fn number_is_plausible(number: &str) -> bool {
    let digits: Option<Vec<u32>> = number
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| c.to_digit(10))
        .collect();
    let Some(digits) = digits.filter(|digits| (12..=19).contains(&digits.len())) else {
        return false;
    };
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            if place % 2 == 0 {
                *digit
            } else {
                (digit * 2) / 10 + (digit * 2) % 10
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

const fn card(number: &'static str, names: &'static [&'static str], brand: &'static str) -> Card {
    Card {
        number,
        names,
        brand,
        funding: "credit",
        challenge: false,
        verdict: Verdict::Approved,
        disputes: false,
        refunds: RefundCourse::Immediate,
    }
}

const fn visa(number: &'static str, names: &'static [&'static str]) -> Card {
    card(number, names, "visa")
}

/// Every card the double knows. `visa_processing` is the double's own: Stripe has no test card that stays `processing`.
static CARDS: [Card; 26] = [
    visa("4242424242424242", &["visa", "us"]),
    visa("4000056655665556", &["visa_debit"]).debit(),
    card("5555555555554444", &["mastercard"], "mastercard"),
    card("5200828282828210", &["mastercard_debit"], "mastercard").debit(),
    card("378282246310005", &["amex"], "amex"),
    card("6011111111111117", &["discover"], "discover"),
    visa("4000000000000077", &["bypassPending"]),
    visa("4000000000000002", &["chargeDeclined", "visa_chargeDeclined"]).declined(Decline::Generic),
    visa("4000000000000341", &["chargeCustomerFail"]).declined(Decline::Generic),
    visa(
        "4000000000009995",
        &[
            "chargeDeclinedInsufficientFunds",
            "visa_chargeDeclinedInsufficientFunds",
        ],
    )
    .declined(Decline::InsufficientFunds),
    visa("4000000000009987", &["visa_chargeDeclinedLostCard"]).declined(Decline::LostCard),
    visa("4000000000009979", &["visa_chargeDeclinedStolenCard"]).declined(Decline::StolenCard),
    visa("4100000000000019", &["radarBlock", "chargeDeclinedFraudulent"]).declined(Decline::Fraudulent),
    visa("4000000000000069", &["chargeDeclinedExpiredCard"]).declined(Decline::ExpiredCard),
    visa("4000000000000127", &["chargeDeclinedIncorrectCvc"]).declined(Decline::IncorrectCvc),
    visa("4000000000000119", &["chargeDeclinedProcessingError"]).declined(Decline::ProcessingError),
    visa("4000002500003155", &["authenticationRequiredOnSetup"]).challenged(),
    visa("4000002760003184", &["authenticationRequired"]).challenged(),
    visa("4000000000003220", &["threeDSecure2Required"]).challenged(),
    visa("4000000000003063", &["threeDSecureRequired"]).challenged(),
    visa("4000008400001629", &["threeDSecureRequiredChargeDeclined"])
        .challenged()
        .declined(Decline::Generic),
    visa(
        "4000008260003178",
        &["authenticationRequiredChargeDeclinedInsufficientFunds"],
    )
    .challenged()
    .declined(Decline::InsufficientFunds),
    visa("4000000000000259", &["createDispute"]).disputed(),
    visa("4000000000007726", &["pendingRefund"]).refunding(RefundCourse::Pending),
    visa("4000000000005126", &["refundFail"]).refunding(RefundCourse::FailsLater),
    visa("4000000000090009", &["visa_processing"]).pending(),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_number_and_no_name_is_given_twice() {
        let numbers: HashSet<_> = CARDS.iter().map(|card| card.number).collect();
        assert_eq!(numbers.len(), CARDS.len());
        let names: Vec<_> = CARDS.iter().flat_map(|card| card.names).collect();
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());
    }

    #[test]
    fn the_numbers_of_stripe_are_plausible_and_a_mistyped_one_is_not() {
        for card in &CARDS {
            let own = card.names.contains(&"visa_processing");
            assert!(own || number_is_plausible(card.number), "{}", card.number);
        }
        for wrong in ["4242424242424241", "42", "4242 4242 4242 424x", ""] {
            assert!(!number_is_plausible(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_card_is_found_by_number_and_by_name() {
        assert_eq!(Card::numbered("4242 4242 4242 4242"), Card::named("visa"));
        assert_eq!(Card::named("visa").map(Card::last4), Some("4242"));
        assert_eq!(Card::named("nobody"), None);
        let card = Card::named("threeDSecureRequiredChargeDeclined").expect("known");
        assert!(card.challenge && card.verdict == Verdict::Declined(Decline::Generic));
    }
}
