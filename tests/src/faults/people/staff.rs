//! Sellers with the administrator at their side, and people who come for the first time.

use bigtix_contracts::api::tickets::Ticket;
use bigtix_contracts::{Cents, Dollars};
use rand::RngExt;
use serde_json::json;

use super::Worker;
use crate::faults::asker::{Account, Request};
use crate::faults::history::{Action, Outcome, Seen};
use crate::world::{PASSWORD, unique};

/// How many of one's own tickets are remembered, for changes.
const REMEMBERED: usize = 12;

pub(super) struct Seller {
    worker: Worker,
    administrator: Account,
    own: Vec<Ticket>,
}

impl Seller {
    pub(super) fn new(worker: Worker, administrator: Account) -> Self {
        Self {
            worker,
            administrator,
            own: Vec::new(),
        }
    }

    pub(super) async fn work(mut self) {
        while !self.worker.market.is_stopped() {
            if self.worker.market.is_short() {
                self.list().await;
            } else {
                match self.worker.random.random_range(0..100) {
                    0..45 => self.edit().await,
                    45..55 => self.withdraw().await,
                    55..80 => self.refund().await,
                    _ => {}
                }
            }
            self.worker.think().await;
        }
    }

    async fn list(&mut self) {
        let quantity = self.worker.random.random_range(4..12);
        let body = json!({
            "title": "Standing", "price": self.price(), "eventId": self.worker.market.event,
            "quantity": quantity,
        });
        let outcome = self.worker.insist(Action::List { quantity }, body).await;
        if let Outcome::Ok {
            status: _,
            seen: Seen::Tickets(tickets),
        } = outcome
        {
            self.worker.market.offer(tickets.iter().map(|ticket| ticket.id));
            self.own.extend(tickets);
            let surplus = self.own.len().saturating_sub(REMEMBERED);
            self.own.drain(..surplus);
        }
    }

    fn price(&mut self) -> Dollars {
        Dollars(Cents(self.worker.random.random_range(1_000..9_000)))
    }

    fn any_own(&mut self) -> Option<Ticket> {
        let place = self.worker.random.random_range(0..self.own.len().max(1));
        self.own.get(place).cloned()
    }

    async fn edit(&mut self) {
        let Some(ticket) = self.any_own() else { return };
        let price = self.price();
        let action = Action::Edit {
            ticket: ticket.id,
            price: price.0,
        };
        let body = json!({"price": price});
        self.worker.ask_with(action, Some(body)).await;
    }

    async fn withdraw(&mut self) {
        let Some(ticket) = self.any_own() else { return };
        let outcome = self.worker.ask(Action::Withdraw { ticket: ticket.id }).await;
        if outcome.status() == Some(200) {
            self.worker.market.take_off(ticket.id);
            self.own.retain(|each| each.id != ticket.id);
        }
    }

    async fn refund(&mut self) {
        let number = self.worker.random.random_range(0..usize::MAX);
        let Some(order) = self.worker.market.sold(number) else {
            return;
        };
        let relist = self.worker.chance(50);
        let administrator = self.administrator.clone();
        let action = Action::Refund { order, relist };
        self.worker
            .insist_as(&administrator, action, json!({"relist": relist}))
            .await;
    }
}

/// People who come for the first time, and somebody who pretends to be Stripe.
pub(super) struct Newcomers(pub(super) Worker);

impl Newcomers {
    pub(super) async fn work(mut self) {
        while !self.0.market.is_stopped() {
            let email = format!("{}@faults.test", unique("n"));
            let request = Request {
                body: Some(json!({"email": email, "password": PASSWORD})),
                action: Action::SignUp { email },
                key: None,
            };
            self.0.asker.ask(None, &request).await;
            self.forge().await;
            for _ in 0..10 {
                self.0.think().await;
            }
        }
    }

    /// Says that a payment succeeded, without a signature.
    async fn forge(&self) {
        let intent = json!({"id": unique("pi"), "object": "payment_intent", "status": "succeeded"});
        let event = json!({
            "id": unique("evt"), "object": "event", "type": "payment_intent.succeeded", "data": {"object": intent},
        });
        let request = Request {
            action: Action::Forge,
            body: Some(event),
            key: None,
        };
        self.0.asker.ask(None, &request).await;
    }
}
