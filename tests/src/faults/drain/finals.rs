//! Everything, read over the API by those whom it belongs to.

use std::collections::{BTreeMap, BTreeSet};

use bigtix_client::Client;
use bigtix_contracts::api::orders::Order;
use bigtix_contracts::{OrderId, TicketId};
use futures::stream::{self, StreamExt, TryStreamExt};

use crate::faults::asker::{Account, Asker, Request};
use crate::faults::evidence::Finals;
use crate::faults::history::{Action, Operation, Outcome, Seen};
use crate::faults::people::People;
use crate::faults::site::Site;
use crate::world::PASSWORD;

const AT_ONCE: usize = 8;
/// Signing in is dear on purpose.
const SIGN_INS: usize = 20;

pub(super) async fn read(site: &Site, people: &People, operations: &[Operation], asker: &Asker) -> Finals {
    let client = Client::new(&site.shop.run().url);
    let mut finals = Finals::default();
    for buyer in &people.buyers {
        let own = client.signed_in(buyer.token.clone());
        match own.orders().all().try_collect::<Vec<Order>>().await {
            Ok(orders) => {
                let paid = payments(asker, buyer, &orders).await;
                finals.payments.extend(paid);
                finals
                    .orders
                    .extend(orders.into_iter().map(|order| (order.id, order)));
            }
            Err(error) => finals
                .restless
                .push(format!("a buyer's orders cannot be read: {error}")),
        }
    }
    let tickets: BTreeSet<TicketId> = operations
        .iter()
        .filter_map(Operation::seen)
        .flat_map(tickets_in)
        .collect();
    let asked = stream::iter(tickets).map(|ticket| read_one(asker, None, Action::ReadTicket { ticket }));
    let seen: Vec<Option<Seen>> = asked.buffer_unordered(AT_ONCE).collect().await;
    for seen in seen.into_iter().flatten() {
        if let Seen::Tickets(tickets) = seen {
            finals
                .tickets
                .extend(tickets.into_iter().map(|ticket| (ticket.id, ticket)));
        }
    }
    finals.lost_accounts = lost_accounts(&client, operations).await;
    finals
}

async fn payments(
    asker: &Asker,
    buyer: &Account,
    orders: &[Order],
) -> BTreeMap<OrderId, bigtix_contracts::api::payments::Payment> {
    let asked = stream::iter(orders.iter().map(|order| order.id))
        .map(|order| read_one(asker, Some(buyer), Action::ReadPayment { order }));
    let seen: Vec<Option<Seen>> = asked.buffer_unordered(AT_ONCE).collect().await;
    let payment = |seen| match seen {
        Seen::Payment(payment) => Some((payment.order_id, *payment)),
        Seen::Nothing | Seen::User(_) | Seen::Tickets(_) | Seen::Order(_) | Seen::Orders(_) => None,
    };
    seen.into_iter().flatten().filter_map(payment).collect()
}

async fn read_one(asker: &Asker, who: Option<&Account>, action: Action) -> Option<Seen> {
    let request = Request {
        action,
        body: None,
        key: None,
    };
    match asker.ask(who, &request).await {
        Outcome::Ok { status: _, seen } => Some(seen),
        Outcome::Failed { .. } | Outcome::Unknown { .. } => None,
    }
}

fn tickets_in(seen: &Seen) -> Vec<TicketId> {
    let of_order = |order: &Order| order.tickets.iter().map(|ticket| ticket.id).collect::<Vec<_>>();
    match seen {
        Seen::Tickets(tickets) => tickets.iter().map(|ticket| ticket.id).collect(),
        Seen::Order(order) => of_order(order),
        Seen::Orders(orders) => orders.iter().flat_map(of_order).collect(),
        Seen::Nothing | Seen::User(_) | Seen::Payment(_) => Vec::new(),
    }
}

/// The accounts that were acknowledged last, and cannot be used.
async fn lost_accounts(client: &Client, operations: &[Operation]) -> Vec<String> {
    let made = operations.iter().rev().filter_map(|operation| {
        let Action::SignUp { email } = &operation.action else {
            return None;
        };
        operation.seen().map(|_| email.clone())
    });
    let mut lost = Vec::new();
    for email in made.take(SIGN_INS) {
        if let Err(error) = client.sign_in(&email, PASSWORD).await {
            lost.push(format!("{email}: {error}"));
        }
    }
    lost
}
