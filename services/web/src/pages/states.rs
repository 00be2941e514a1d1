//! The states of tickets and orders in words.

use bigtix_contracts::api::orders::{Order, StatusWord};
use bigtix_contracts::api::payments::{Payment, PaymentStatus};
use bigtix_contracts::api::tickets::TicketStatus;
use bigtix_contracts::events::CancelReason;

/// A state as it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Badge {
    /// What follows `state-`.
    pub(crate) class: &'static str,
    pub(crate) word: &'static str,
    pub(crate) explanation: &'static str,
}

/// How a ticket stands.
pub(crate) fn of_ticket(status: TicketStatus) -> Badge {
    let (class, word, explanation) = match status {
        TicketStatus::Available => ("available", "For sale", ""),
        TicketStatus::Reserved => (
            "reserved",
            "Reserved",
            "A buyer has it reserved and has a few minutes to pay. It comes back if they do not.",
        ),
        TicketStatus::Sold => ("sold", "Sold", "Somebody has bought it."),
        TicketStatus::Withdrawn => ("withdrawn", "Withdrawn", "Its seller took it off sale."),
    };
    Badge {
        class,
        word,
        explanation,
    }
}

/// What an order's page is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// The tickets are held, and nothing is paid.
    Payable,
    /// The buyer's bank has a question.
    Authenticate,
    /// A payment is being decided.
    Confirming,
    Complete,
    /// Not paid in time.
    Expired,
    /// By the buyer.
    Cancelled,
    /// The bank took its word back.
    Failed,
    Refunded,
}

impl State {
    /// The state of an order whose latest payment is this. What is not decided is never shown as failed.
    pub(crate) fn of(order: &Order, payment: Option<&Payment>) -> Self {
        match order.status {
            StatusWord::Created => match payment.map(|payment| payment.status) {
                None | Some(PaymentStatus::Failed | PaymentStatus::Cancelled | PaymentStatus::Refunded) => {
                    Self::Payable
                }
                Some(PaymentStatus::RequiresAction) => Self::Authenticate,
                Some(PaymentStatus::Processing | PaymentStatus::Succeeded) => Self::Confirming,
            },
            StatusWord::AwaitingPayment => Self::Confirming,
            StatusWord::Complete | StatusWord::Paid => Self::Complete,
            StatusWord::Cancelled => match order.reason {
                Some(CancelReason::Expired) => Self::Expired,
                Some(CancelReason::Failed) => Self::Failed,
                Some(CancelReason::User) | None => Self::Cancelled,
            },
            StatusWord::Expired => Self::Expired,
            StatusWord::Failed => Self::Failed,
            StatusWord::Refunded => Self::Refunded,
        }
    }

    /// The word that scripts know.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Payable => "payable",
            Self::Authenticate => "authenticate",
            Self::Confirming => "confirming",
            Self::Complete => "complete",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
            Self::Refunded => "refunded",
        }
    }

    pub(crate) const fn heading(self) -> &'static str {
        match self {
            Self::Payable => "Pay for your tickets",
            Self::Authenticate => "Confirm with your bank",
            Self::Confirming => "Confirming your payment",
            Self::Complete => "Your tickets",
            Self::Expired => "Your reservation has expired",
            Self::Cancelled => "Order cancelled",
            Self::Failed => "Payment failed",
            Self::Refunded => "Order refunded",
        }
    }

    pub(crate) const fn badge(self) -> Badge {
        let (class, word) = match self {
            Self::Payable | Self::Authenticate => ("created", "To pay"),
            Self::Confirming => ("awaiting", "Confirming"),
            Self::Complete => ("complete", "Paid"),
            Self::Expired => ("expired", "Expired"),
            Self::Cancelled | Self::Failed => ("cancelled", "Cancelled"),
            Self::Refunded => ("refunded", "Refunded"),
        };
        Badge {
            class,
            word,
            explanation: "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn order(status: &str, reason: Option<&str>) -> Order {
        let id = "64b0c0ffee0000000000beef";
        let ticket =
            json!({"id": id, "title": "A", "price": 1, "version": 0, "serialNumber": "1", "eventId": null});
        let order = json!({
            "id": id, "userId": id, "status": status, "reason": reason, "expiresAt": "2031-05-01T19:30:00Z",
            "createdAt": "2031-05-01T19:15:00Z", "total": 1, "ticket": ticket, "tickets": [ticket], "version": 0,
        });
        serde_json::from_value(order).unwrap()
    }

    fn payment(status: &str) -> Payment {
        let id = "64b0c0ffee0000000000beef";
        let payment = json!({
            "id": id, "orderId": id, "stripeId": null, "amount": 1, "status": status, "success": false,
            "createdAt": "2031-05-01T19:15:00Z", "version": 0,
        });
        serde_json::from_value(payment).unwrap()
    }

    #[test]
    fn what_is_being_decided_is_never_shown_as_failed() {
        for (status, paid, state) in [
            ("created", None, State::Payable),
            ("created", Some("failed"), State::Payable),
            ("created", Some("processing"), State::Confirming),
            ("created", Some("requires_action"), State::Authenticate),
            ("created", Some("succeeded"), State::Confirming),
            ("awaiting:payment", Some("processing"), State::Confirming),
            ("complete", Some("succeeded"), State::Complete),
            ("refunded", Some("refunded"), State::Refunded),
        ] {
            let payment = paid.map(payment);
            assert_eq!(
                State::of(&order(status, None), payment.as_ref()),
                state,
                "{status} {paid:?}"
            );
        }
    }

    #[test]
    fn a_cancelled_order_says_why() {
        for (reason, state) in [
            (Some("expired"), State::Expired),
            (Some("failed"), State::Failed),
            (Some("user"), State::Cancelled),
        ] {
            assert_eq!(State::of(&order("cancelled", reason), None), state);
        }
    }
}
