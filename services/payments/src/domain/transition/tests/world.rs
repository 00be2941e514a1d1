//! A world of one order, one payment and one intent, small enough to visit all of it: requests that arrive late or not
//! at all, answers that are lost or come late, crashes between any two steps, a bank, a buyer and a clock.

use std::collections::BTreeSet;

use bigtix_contracts::Cents;
use jiff::Timestamp;

use super::{AMOUNT, begun, intent};
use crate::domain::{
    Call, Cause, Closure, Decision, End, Failure, Input, Intent, IntentStatus, Payment, Phase, RefundStatus,
    next,
};

/// What the buyer pays with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Card {
    Good,
    Challenged,
    Declined,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Order {
    Created,
    Awaiting,
    Complete,
    Cancelled,
    Refunded,
}

/// What is true of the intent at Stripe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Money {
    status: IntentStatus,
    first: IntentStatus,
    refunds: u8,
}

/// A request that left and has not arrived, or not for the last time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Late {
    Create,
    Confirm,
    Capture,
    Refund,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct World {
    card: Card,
    payment: Payment,
    order: Order,
    money: Option<Money>,
    /// Requests that arrive once more, some time.
    late: BTreeSet<Late>,
    /// News that were on their way when something else happened; they come some time, or never.
    stale: Option<Input>,
    captures: u8,
}

impl World {
    pub(super) fn new(card: Card) -> Self {
        let (order, late) = (Order::Created, BTreeSet::new());
        Self {
            card,
            payment: begun(),
            order,
            money: None,
            late,
            stale: None,
            captures: 0,
        }
    }

    pub(super) fn is_paid(&self) -> bool {
        self.order == Order::Complete && self.payment.phase == Phase::Succeeded
    }

    fn kept(&self) -> bool {
        self.money
            .is_some_and(|money| money.status == IntentStatus::Succeeded && money.refunds == 0)
    }

    /// What holds at every moment.
    pub(super) fn check(&self) {
        let refunds = self.money.map_or(0, |money| money.refunds);
        assert!(
            self.captures <= 1 && refunds <= 1,
            "captured or refunded twice: {self:?}"
        );
        let wanted = matches!(self.order, Order::Awaiting | Order::Complete);
        assert!(
            !self.kept() || wanted,
            "money is kept for an order that is closed: {self:?}"
        );
        assert!(
            self.order != Order::Complete || self.captures == 1,
            "complete and not paid: {self:?}"
        );
        assert!(
            self.payment.phase != Phase::Succeeded || self.order == Order::Complete,
            "paid and not complete: {self:?}"
        );
    }

    /// What holds once nothing more goes wrong.
    pub(super) fn check_settled(&self) {
        assert!(self.payment.is_settled(), "never settled: {self:?}");
        assert_ne!(self.order, Order::Awaiting, "the order waits for ever: {self:?}");
        assert_eq!(
            self.kept(),
            self.order == Order::Complete,
            "money and order disagree: {self:?}"
        );
        let held = self
            .money
            .is_some_and(|money| money.status == IntentStatus::RequiresCapture);
        assert!(!held, "a hold is left behind: {self:?}");
        let open = self.payment.phase == Phase::RequiresAction;
        assert!(
            !open || self.order == Order::Created,
            "the bank is awaited for a closed order: {self:?}"
        );
    }

    /// Everything that can happen next.
    pub(super) fn successors(&self) -> Vec<Self> {
        let mut worlds = self.by_calls();
        worlds.extend(self.late.iter().map(|request| {
            let mut world = self.clone();
            world.late.remove(request);
            world.arrive(*request);
            world
        }));
        worlds.extend(self.by_others());
        if let Some(news) = &self.stale {
            worlds.push(Self {
                stale: None,
                ..self.clone()
            });
            worlds.push(
                Self {
                    stale: None,
                    ..self.clone()
                }
                .told(news),
            );
        }
        worlds
    }

    /// The call that is due: it is answered; its answer is lost; its answer comes late; it arrives late.
    fn by_calls(&self) -> Vec<Self> {
        let Some(call) = self.payment.due(Timestamp::UNIX_EPOCH) else {
            return Vec::new();
        };
        let mut called = self.clone();
        let answers = called.call(call);
        let mut worlds: Vec<Self> = answers.iter().map(|answer| called.clone().told(answer)).collect();
        worlds.push(called.clone());
        worlds.extend(answers.into_iter().map(|answer| Self {
            stale: Some(answer),
            ..called.clone()
        }));
        let late = match call {
            Call::Create | Call::Find => Some(Late::Create),
            Call::Confirm => Some(Late::Confirm),
            Call::Capture => Some(Late::Capture),
            Call::Refund => Some(Late::Refund),
            _ => None,
        };
        if let Some(request) = late {
            let mut world = self.clone();
            world.late.insert(request);
            worlds.push(world);
        }
        worlds
    }

    /// What happens by itself.
    fn by_others(&self) -> Vec<Self> {
        let mut worlds = Vec::new();
        if self.order == Order::Created {
            worlds.push(Self {
                order: Order::Cancelled,
                ..self.clone()
            });
        }
        for status in match self.money.map(|money| money.status) {
            Some(IntentStatus::RequiresAction) => {
                vec![IntentStatus::RequiresCapture, IntentStatus::RequiresPaymentMethod]
            }
            Some(IntentStatus::RequiresCapture) => vec![IntentStatus::Canceled],
            _ => Vec::new(),
        } {
            worlds.push(Self {
                money: self.money.map(|money| Money { status, ..money }),
                ..self.clone()
            });
        }
        worlds.extend(self.news().map(|news| self.clone().told(&news)));
        worlds.extend(self.seen().map(|seen| Self {
            stale: Some(seen),
            ..self.clone()
        }));
        worlds.push(self.clone().told(&Input::Superseded));
        if self.order == Order::Complete {
            worlds.push(self.clone().told(&Input::RefundAsked {
                relist: true,
                request: self.payment.id,
            }));
        }
        worlds
    }

    /// What webhooks and the bus would tell now.
    fn news(&self) -> impl Iterator<Item = Input> {
        let by_order = match self.order {
            Order::Cancelled => Some(Input::OrderClosed(Closure::Expired)),
            Order::Awaiting => Some(Input::OrderAwaits),
            Order::Created | Order::Complete | Order::Refunded => None,
        };
        by_order.into_iter().chain(self.seen())
    }

    fn seen(&self) -> Option<Input> {
        self.money.map(|money| Input::Seen(seen(money, money.status)))
    }

    fn told(mut self, input: &Input) -> Self {
        if let Decision::Become(after) = next(&self.payment, input) {
            self.payment = *after;
        }
        self
    }

    /// A request arrives and has its effect.
    fn arrive(&mut self, request: Late) {
        match request {
            Late::Create => {
                let status = match self.card {
                    Card::Good => IntentStatus::RequiresCapture,
                    Card::Challenged => IntentStatus::RequiresAction,
                    Card::Declined => IntentStatus::RequiresPaymentMethod,
                };
                // Its key makes the second one nothing.
                self.money.get_or_insert(Money {
                    status,
                    first: status,
                    refunds: 0,
                });
            }
            Late::Confirm => {
                if self.order == Order::Created {
                    self.order = Order::Awaiting;
                }
            }
            Late::Capture => {
                if let Some(money) = self
                    .money
                    .as_mut()
                    .filter(|money| money.status == IntentStatus::RequiresCapture)
                {
                    money.status = IntentStatus::Succeeded;
                    self.captures += 1;
                }
            }
            Late::Refund => {
                if let Some(money) = self
                    .money
                    .as_mut()
                    .filter(|it| it.status == IntentStatus::Succeeded && it.refunds == 0)
                {
                    money.refunds += 1;
                }
            }
        }
    }

    /// Makes a call and returns what may be answered.
    fn call(&mut self, call: Call) -> Vec<Input> {
        match call {
            Call::Create | Call::Find => {
                self.arrive(Late::Create);
                let first = self.money.map(|money| seen(money, money.first));
                let declined = Input::Declined {
                    message: "No.".into(),
                    intent: Some(intent(IntentStatus::Canceled).id),
                };
                if self.card == Card::Declined {
                    return vec![declined];
                }
                first.map(Input::Seen).into_iter().chain(self.seen()).collect()
            }
            Call::Retrieve | Call::Watch => self.seen().into_iter().collect(),
            Call::LookAtAction if self.order == Order::Cancelled => {
                vec![Input::OrderClosed(Closure::Expired)]
            }
            Call::LookAtAction => self.seen().into_iter().collect(),
            Call::Confirm => {
                self.arrive(Late::Confirm);
                vec![match self.order {
                    Order::Awaiting | Order::Complete => Input::Confirmed,
                    Order::Created | Order::Cancelled | Order::Refunded => {
                        Input::OrderClosed(Closure::Expired)
                    }
                }]
            }
            Call::Capture => {
                self.arrive(Late::Capture);
                self.seen().into_iter().collect()
            }
            Call::Complete => {
                if self.order == Order::Awaiting {
                    self.order = Order::Complete;
                }
                vec![match self.order {
                    Order::Complete | Order::Refunded => Input::Completed,
                    Order::Created | Order::Awaiting | Order::Cancelled => {
                        Input::OrderClosed(Closure::Expired)
                    }
                }]
            }
            Call::Cancel => {
                let open = |money: &&mut Money| money.status != IntentStatus::Succeeded;
                if let Some(money) = self.money.as_mut().filter(open) {
                    money.status = IntentStatus::Canceled;
                }
                self.seen().into_iter().collect()
            }
            Call::Fail => {
                if self.order == Order::Awaiting {
                    self.order = Order::Cancelled;
                }
                vec![Input::OrderFailed]
            }
            Call::Refund | Call::ReadRefund => {
                self.arrive(Late::Refund);
                vec![Input::RefundSeen {
                    id: "re_1".into(),
                    status: RefundStatus::Succeeded,
                }]
            }
            Call::TellRefund => {
                if self.order == Order::Complete {
                    self.order = Order::Refunded;
                }
                vec![Input::OrderRefunded]
            }
        }
    }

    /// Nothing goes wrong any more: what is late arrives, the news come, and the reconciler does its work.
    pub(super) fn settle(mut self) -> Self {
        for request in std::mem::take(&mut self.late) {
            self.arrive(request);
        }
        if let Some(news) = self.stale.take() {
            self = self.told(&news);
        }
        for _ in 0..12 {
            for news in self.news().collect::<Vec<_>>() {
                self = self.told(&news);
            }
            if let Some(call) = self.payment.due(Timestamp::UNIX_EPOCH) {
                let answers = self.call(call);
                if let Some(answer) = answers.last() {
                    self = self.told(answer);
                }
            }
        }
        self
    }
}

fn seen(money: Money, status: IntentStatus) -> Intent {
    let refunded = if money.refunds > 0 { AMOUNT } else { Cents(0) };
    Intent {
        refunded,
        ..intent(status)
    }
}

/// The oracle is worth something only if it sees what it is to see.
#[test]
fn the_world_notices_money_that_is_kept_for_a_closed_order() {
    let money = Money {
        status: IntentStatus::Succeeded,
        first: IntentStatus::RequiresCapture,
        refunds: 0,
    };
    let phase = Phase::Cancelled(Closure::Expired);
    let payment = Payment {
        phase,
        live: false,
        ..begun()
    };
    let wrong = World {
        order: Order::Cancelled,
        money: Some(money),
        payment,
        captures: 1,
        ..World::new(Card::Good)
    };
    assert!(std::panic::catch_unwind(|| wrong.check()).is_err());
    let settled = wrong.settle();
    settled.check_settled();
    assert!(
        matches!(&settled.payment.phase, Phase::Refunded(refund) if matches!(refund.cause, Cause::SafetyNet(_)))
    );
}

#[test]
fn the_world_voids_a_hold_that_nobody_wants() {
    let money = Money {
        status: IntentStatus::RequiresCapture,
        first: IntentStatus::RequiresCapture,
        refunds: 0,
    };
    let payment = Payment {
        phase: Phase::Voiding(End::Failed(Failure::Provider)),
        ..begun()
    };
    let world = World {
        order: Order::Cancelled,
        money: Some(money),
        payment,
        ..World::new(Card::Good)
    };
    assert_eq!(
        world.settle().money.map(|money| money.status),
        Some(IntentStatus::Canceled)
    );
}
