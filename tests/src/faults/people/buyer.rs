//! Somebody who reserves, pays, cancels, forgets, and looks.

use std::sync::Arc;

use bigtix_contracts::api::orders::{Order, StatusWord};
use bigtix_contracts::api::payments::{Payment, PaymentStatus};
use bigtix_contracts::{OrderId, TicketId};
use bigtix_testkit::stripe::Running;
use rand::RngExt;
use rand::seq::IndexedRandom;
use serde_json::json;

use super::Worker;
use crate::faults::history::{Action, Outcome, Seen};

/// More orders than these are left to expire.
const HELD: usize = 4;
/// Cards by name at the Stripe double; some bring their own trouble along.
const CARDS: [&str; 14] = [
    "tok_visa",
    "tok_visa",
    "tok_visa",
    "tok_visa",
    "tok_mastercard",
    "tok_amex",
    "tok_chargeDeclined",
    "tok_threeDSecureRequired",
    "tok_threeDSecureRequired",
    "tok_visa_fault_create_error_after",
    "tok_visa_fault_capture_error_after",
    "tok_visa_fault_capture_slow_1500",
    "tok_visa_fault_create_error_before",
    "tok_visa_fault_capture_rate_limited_2",
];

pub(super) struct Buyer {
    worker: Worker,
    stripe: Arc<Running>,
    held: Vec<Order>,
}

impl Buyer {
    pub(super) fn new(worker: Worker, stripe: Arc<Running>) -> Self {
        Self {
            worker,
            stripe,
            held: Vec::new(),
        }
    }

    pub(super) async fn work(mut self) {
        while !self.worker.market.is_stopped() {
            self.turn().await;
            self.worker.think().await;
        }
    }

    async fn turn(&mut self) {
        match self.worker.random.random_range(0..100) {
            0..35 => self.reserve().await,
            35..45 => self.reserve_any().await,
            45..72 => self.pay().await,
            72..79 => self.cancel().await,
            _ => self.look().await,
        }
    }

    async fn reserve(&mut self) {
        let count = if self.worker.chance(20) { 2 } else { 1 };
        let mut tickets: Vec<TicketId> = Vec::new();
        for _ in 0..count {
            let number = self.worker.random.random_range(0..usize::MAX);
            tickets.extend(self.worker.market.ticket(number));
        }
        tickets.sort_unstable();
        tickets.dedup();
        if tickets.is_empty() {
            return;
        }
        // A price in the request is never used.
        let wanted: Vec<_> = tickets.iter().map(|id| json!({"id": id, "price": 0.5})).collect();
        let mut body = json!({"tickets": wanted});
        if self.worker.chance(10) {
            // Nobody gets a ticket for what they would like to pay.
            body["expectedTotal"] = json!(0.5);
        }
        let outcome = self.worker.insist(Action::Place { tickets }, body).await;
        self.hold(outcome);
    }

    async fn reserve_any(&mut self) {
        let event = self.worker.market.event;
        let quantity = self.worker.random.random_range(1..=3);
        let body = json!({"eventId": event, "quantity": quantity});
        let outcome = self
            .worker
            .insist(Action::PlaceAny { event, quantity }, body)
            .await;
        self.hold(outcome);
    }

    fn hold(&mut self, outcome: Outcome) {
        if let Outcome::Ok {
            status: _,
            seen: Seen::Order(order),
        } = outcome
        {
            self.held.push(*order);
            if self.held.len() > HELD {
                self.held.remove(0);
            }
        }
    }

    fn any_held(&mut self) -> Option<Order> {
        let place = self.worker.random.random_range(0..self.held.len().max(1));
        (place < self.held.len()).then(|| self.held.swap_remove(place))
    }

    async fn pay(&mut self) {
        let Some(order) = self.any_held() else { return };
        let card = *CARDS.choose(&mut self.worker.random).unwrap_or(&"tok_visa");
        let id = order.id;
        let body = json!({"token": card, "orderId": id});
        let mut outcome = self.worker.insist(Action::Pay { order: id }, body).await;
        if let Some(payment) = payment(&outcome)
            && payment.status == PaymentStatus::RequiresAction
        {
            outcome = self.answer_the_bank(id, &payment).await;
        }
        match outcome {
            Outcome::Ok { .. } => {
                for ticket in &order.tickets {
                    self.worker.market.take_off(ticket.id);
                }
                self.worker.market.sell(id);
            }
            // Declined: another card may do.
            Outcome::Failed { status: 402, code: _ } => self.held.push(order),
            Outcome::Failed { .. } | Outcome::Unknown { .. } => {}
        }
    }

    async fn answer_the_bank(&mut self, order: OrderId, payment: &Payment) -> Outcome {
        let yes = self.worker.chance(80);
        if let Some(intent) = &payment.stripe_id {
            // It may have been cancelled meanwhile, because the order has expired.
            let _ = self.stripe.authenticate(intent, yes);
        }
        self.worker.insist(Action::Continue { order }, json!({})).await
    }

    async fn cancel(&mut self) {
        if let Some(order) = self.any_held() {
            self.worker.ask(Action::Cancel { order: order.id }).await;
        }
    }

    async fn look(&mut self) {
        let held = self.held.last().map(|order| order.id);
        let action = match (self.worker.random.random_range(0..4), held) {
            (0, Some(order)) => Action::ReadOrder { order },
            (1, Some(order)) => Action::ReadPayment { order },
            (2, _) => match self.worker.market.ticket(self.worker.made as usize) {
                Some(ticket) => Action::ReadTicket { ticket },
                None => Action::ReadOrders,
            },
            _ => Action::ReadOrders,
        };
        let outcome = self.worker.ask(action).await;
        match outcome {
            Outcome::Ok {
                status: _,
                seen: Seen::Order(order),
            } if order.status != StatusWord::Created => {
                self.held.retain(|each| each.id != order.id);
            }
            Outcome::Ok {
                status: _,
                seen: Seen::Orders(orders),
            } => self.find(&orders),
            Outcome::Ok { .. } | Outcome::Failed { .. } | Outcome::Unknown { .. } => {}
        }
    }

    /// What was placed and never answered is in the list, and is paid like any other order.
    fn find(&mut self, orders: &[Order]) {
        let is_new = |order: &&Order| {
            order.status == StatusWord::Created && self.held.iter().all(|held| held.id != order.id)
        };
        let found = orders.iter().find(is_new).cloned();
        self.held.extend(found);
    }
}

fn payment(outcome: &Outcome) -> Option<Payment> {
    match outcome {
        Outcome::Ok {
            status: _,
            seen: Seen::Payment(payment),
        } => Some(payment.as_ref().clone()),
        Outcome::Ok { .. } | Outcome::Failed { .. } | Outcome::Unknown { .. } => None,
    }
}
