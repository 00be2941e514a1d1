//! The state machine of an order.
//!
//! `created -> awaiting:payment -> complete -> refunded`, `created -> cancelled(user | expired)`,
//! `awaiting:payment -> cancelled(failed)`. Terminal states never change, but that a refunded order can be relisted.

use bigtix_contracts::PaymentId;
use bigtix_contracts::events::{CancelReason, OrderState, OrderStatus, Versioned};
use jiff::Timestamp;

/// What somebody wants an order to become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Its buyer gives it up.
    Cancel,
    /// Its time is over.
    Expire,
    /// A payment has the money authorised.
    Confirm(PaymentId),
    /// The payment that confirmed it has captured the money.
    Complete(PaymentId),
    /// The payment that confirmed it can never capture the money.
    Fail(PaymentId),
    /// The payment that completed it went back.
    Refund {
        /// That payment.
        payment: PaymentId,
        /// Whether its tickets go back on sale.
        relist: bool,
    },
}

/// What the store's clock must say at the moment of the change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// Anything.
    None,
    /// Before `expiresAt`.
    NotOverdue,
    /// At or after `expiresAt`.
    Overdue,
}

/// What a command comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The order becomes this, if the guard holds and nobody else changed it meanwhile.
    Change(Box<OrderState>, Guard),
    /// It is there already.
    Already,
    /// It is not there and will not come there by this command.
    Refused,
}

/// What became of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    /// The order is where the command wants it.
    Done(Versioned<OrderState>),
    /// The order is elsewhere and stays there.
    Refused(Versioned<OrderState>),
}

impl Applied {
    /// The order as it is now.
    pub fn into_order(self) -> Versioned<OrderState> {
        match self {
            Self::Done(order) | Self::Refused(order) => order,
        }
    }
}

/// Whether a created order's time is over.
pub fn is_overdue(order: &OrderState, now: Timestamp) -> bool {
    is_past(order.status, order.expires_at, now)
}

/// The same by what matters of an order.
pub fn is_past(status: OrderStatus, expires_at: Timestamp, now: Timestamp) -> bool {
    status == OrderStatus::Created && expires_at <= now
}

/// Decides `command` on `order`, taking the store's time to be `now`. Total.
pub fn decide(order: &OrderState, command: Command, now: Timestamp) -> Verdict {
    match command {
        Command::Cancel => decide_cancel(order, now),
        Command::Expire => decide_expire(order, now),
        Command::Confirm(payment) => decide_confirm(order, payment, now),
        Command::Complete(payment) => decide_complete(order, payment),
        Command::Fail(payment) => decide_fail(order, payment),
        Command::Refund { payment, relist } => decide_refund(order, payment, relist),
    }
}

fn change(order: &OrderState, guard: Guard, edit: impl FnOnce(&mut OrderState)) -> Verdict {
    let mut next = order.clone();
    edit(&mut next);
    Verdict::Change(Box::new(next), guard)
}

fn cancelled(order: &OrderState, reason: CancelReason, guard: Guard) -> Verdict {
    change(order, guard, |next| {
        next.status = OrderStatus::Cancelled;
        next.reason = Some(reason);
    })
}

fn decide_cancel(order: &OrderState, now: Timestamp) -> Verdict {
    match order.status {
        OrderStatus::Created if is_overdue(order, now) => {
            cancelled(order, CancelReason::Expired, Guard::Overdue)
        }
        OrderStatus::Created => cancelled(order, CancelReason::User, Guard::NotOverdue),
        OrderStatus::Cancelled => Verdict::Already,
        OrderStatus::AwaitingPayment | OrderStatus::Complete | OrderStatus::Refunded => Verdict::Refused,
    }
}

fn decide_expire(order: &OrderState, now: Timestamp) -> Verdict {
    match order.status {
        OrderStatus::Created if is_overdue(order, now) => {
            cancelled(order, CancelReason::Expired, Guard::Overdue)
        }
        OrderStatus::Cancelled => Verdict::Already,
        OrderStatus::Created
        | OrderStatus::AwaitingPayment
        | OrderStatus::Complete
        | OrderStatus::Refunded => Verdict::Refused,
    }
}

fn decide_confirm(order: &OrderState, payment: PaymentId, now: Timestamp) -> Verdict {
    match order.status {
        OrderStatus::Created if is_overdue(order, now) => Verdict::Refused,
        OrderStatus::Created => change(order, Guard::NotOverdue, |next| {
            next.status = OrderStatus::AwaitingPayment;
            next.payment_id = Some(payment);
        }),
        OrderStatus::AwaitingPayment | OrderStatus::Complete if order.payment_id == Some(payment) => {
            Verdict::Already
        }
        OrderStatus::AwaitingPayment
        | OrderStatus::Complete
        | OrderStatus::Cancelled
        | OrderStatus::Refunded => Verdict::Refused,
    }
}

fn decide_complete(order: &OrderState, payment: PaymentId) -> Verdict {
    match order.status {
        _ if order.payment_id != Some(payment) => Verdict::Refused,
        OrderStatus::AwaitingPayment => {
            change(order, Guard::None, |next| next.status = OrderStatus::Complete)
        }
        OrderStatus::Complete | OrderStatus::Refunded => Verdict::Already,
        OrderStatus::Created | OrderStatus::Cancelled => Verdict::Refused,
    }
}

fn decide_fail(order: &OrderState, payment: PaymentId) -> Verdict {
    match order.status {
        _ if order.payment_id != Some(payment) => Verdict::Refused,
        OrderStatus::AwaitingPayment => cancelled(order, CancelReason::Failed, Guard::None),
        OrderStatus::Cancelled => Verdict::Already,
        OrderStatus::Created | OrderStatus::Complete | OrderStatus::Refunded => Verdict::Refused,
    }
}

fn decide_refund(order: &OrderState, payment: PaymentId, relist: bool) -> Verdict {
    match order.status {
        _ if order.payment_id != Some(payment) => Verdict::Refused,
        OrderStatus::Complete => change(order, Guard::None, |next| {
            next.status = OrderStatus::Refunded;
            next.relisted = relist;
        }),
        OrderStatus::Refunded if relist && !order.relisted => {
            change(order, Guard::None, |next| next.relisted = true)
        }
        OrderStatus::Refunded => Verdict::Already,
        OrderStatus::Created | OrderStatus::AwaitingPayment | OrderStatus::Cancelled => Verdict::Refused,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use bigtix_contracts::events::OrderTicket;
    use bigtix_contracts::{Cents, OrderId, TicketId, UserId};
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// An order of one ticket, as it is placed.
    pub(crate) fn created() -> OrderState {
        OrderState {
            id: OrderId::from_bytes([1; 12]),
            user_id: UserId::from_bytes([2; 12]),
            status: OrderStatus::Created,
            reason: None,
            expires_at: at(900),
            created_at: at(0),
            total: Cents(1999),
            tickets: vec![OrderTicket {
                id: TicketId::from_bytes([3; 12]),
                seller_id: UserId::from_bytes([4; 12]),
                title: "Row F seat 12".into(),
                price: Cents(1999),
                version: 0,
                serial_number: "F12".into(),
                event_id: None,
            }],
            payment_id: None,
            relisted: false,
            turn: None,
        }
    }

    fn payment(n: u8) -> PaymentId {
        PaymentId::from_bytes([n; 12])
    }

    fn commands() -> impl Strategy<Value = (Command, i64)> {
        let command = prop_oneof![
            Just(Command::Cancel),
            Just(Command::Expire),
            (1_u8..3).prop_map(|n| Command::Confirm(payment(n))),
            (1_u8..3).prop_map(|n| Command::Complete(payment(n))),
            (1_u8..3).prop_map(|n| Command::Fail(payment(n))),
            (1_u8..3, any::<bool>()).prop_map(|(n, relist)| Command::Refund {
                payment: payment(n),
                relist
            }),
        ];
        (command, 0_i64..2000)
    }

    fn may_follow(before: OrderStatus, after: OrderStatus) -> bool {
        use OrderStatus::{AwaitingPayment, Cancelled, Complete, Created, Refunded};
        matches!(
            (before, after),
            (Created, AwaitingPayment | Cancelled)
                | (AwaitingPayment, Complete | Cancelled)
                | (Complete | Refunded, Refunded)
        )
    }

    proptest! {
        #[test]
        fn every_history_is_a_path_of_the_graph(steps in proptest::collection::vec(commands(), 1..30)) {
            let mut order = created();
            for (command, second) in steps {
                if let Verdict::Change(next, guard) = decide(&order, command, at(second)) {
                    prop_assert!(may_follow(order.status, next.status), "{:?} -> {:?}", order.status, next.status);
                    prop_assert_eq!(guard == Guard::Overdue, next.reason == Some(CancelReason::Expired));
                    prop_assert_eq!(guard == Guard::NotOverdue, order.status == OrderStatus::Created && guard != Guard::Overdue);
                    prop_assert!(order.payment_id.is_none() || order.payment_id == next.payment_id, "a payment is never exchanged");
                    prop_assert_eq!(next.reason.is_some(), next.status == OrderStatus::Cancelled);
                    order = *next;
                }
            }
        }

        #[test]
        fn a_command_that_took_effect_is_already_done_when_repeated((command, second) in commands()) {
            for start in [created(), OrderState { status: OrderStatus::AwaitingPayment, payment_id: Some(payment(1)), ..created() }, OrderState { status: OrderStatus::Complete, payment_id: Some(payment(1)), ..created() }] {
                if let Verdict::Change(next, _) = decide(&start, command, at(second)) {
                    prop_assert_eq!(decide(&next, command, at(second)), Verdict::Already);
                }
            }
        }
    }

    #[test]
    fn an_overdue_order_cannot_be_confirmed() {
        assert_eq!(
            decide(&created(), Command::Confirm(payment(1)), at(900)),
            Verdict::Refused
        );
        assert!(matches!(
            decide(&created(), Command::Confirm(payment(1)), at(899)),
            Verdict::Change(_, Guard::NotOverdue)
        ));
    }

    #[test]
    fn an_order_that_awaits_its_payment_never_expires() {
        let order = OrderState {
            status: OrderStatus::AwaitingPayment,
            payment_id: Some(payment(1)),
            ..created()
        };
        assert_eq!(decide(&order, Command::Expire, at(99_999)), Verdict::Refused);
        assert_eq!(decide(&order, Command::Cancel, at(99_999)), Verdict::Refused);
    }
}
