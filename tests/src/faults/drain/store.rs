//! What only the stores can tell: what is not finished, and what the services' copies say.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use bigtix_contracts::events::TicketState;
use bigtix_contracts::{Cents, OrderId, TicketId};
use futures::TryStreamExt;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Bson, Document, doc};
use mongodb::{Client, Collection};

const SERVICES: [&str; 5] = ["auth", "tickets", "orders", "payments", "expiration"];
/// Phases of a payment in which nothing is due.
const SETTLED: [&str; 4] = ["succeeded", "failed", "cancelled", "refunded"];

/// The stores, looked at from outside.
pub(super) struct StoreView<'a>(&'a Client);

/// What is read at the end.
pub(super) struct Rest {
    pub(super) copies: BTreeMap<TicketId, (Cents, i64)>,
    pub(super) armed_timers: Vec<OrderId>,
    pub(super) dead_letters: Vec<String>,
}

impl<'a> StoreView<'a> {
    pub(super) fn new(client: &'a Client) -> Self {
        Self(client)
    }

    fn collection(&self, database: &str, name: &str) -> Collection<Document> {
        self.0.database(database).collection(name)
    }

    async fn find(&self, database: &str, name: &str, filter: Document) -> Result<Vec<Document>> {
        let cursor = self.collection(database, name).find(filter).await?;
        Ok(cursor.try_collect().await?)
    }

    /// What has not come to an end.
    pub(super) async fn restless(&self) -> Result<Vec<String>> {
        let under_way = [
            (
                "orders",
                "claims",
                doc! {"kind": "order", "status": {"$in": ["created", "awaiting:payment"]}},
                "orders have not ended",
            ),
            (
                "orders",
                "claims",
                doc! {"kind": "edit", "active": true},
                "edits hold a ticket",
            ),
            (
                "payments",
                "payments",
                doc! {"phase.name": {"$nin": SETTLED.to_vec()}},
                "payments are not settled",
            ),
            (
                "tickets",
                "intents",
                doc! {},
                "changes of tickets are not settled",
            ),
            (
                "expiration",
                "timers",
                doc! {"fired": false},
                "timers have not fired",
            ),
        ];
        let mut restless = Vec::new();
        for (database, name, filter, what) in under_way {
            let count = self.collection(database, name).count_documents(filter).await?;
            if count > 0 {
                restless.push(format!("{count} {what}"));
            }
        }
        let differing = self.differing().await?;
        if differing > 0 {
            restless.push(format!("{differing} copies differ from their owners"));
        }
        Ok(restless)
    }

    /// How many copies of tickets, and how many tickets' holders, are not as their owners have them.
    async fn differing(&self) -> Result<usize> {
        let owned = self.find("tickets", "tickets", doc! {}).await?;
        let active = doc! {"kind": "order", "active": true};
        let active = self.find("orders", "claims", active).await?;
        differing(&owned, &self.copies().await?, &active)
    }

    async fn copies(&self) -> Result<BTreeMap<TicketId, (Cents, i64)>> {
        let copies = self.find("orders", "tickets", doc! {}).await?;
        let read = |copy: &Document| -> Result<(TicketId, (Cents, i64))> {
            let id = TicketId::from_bytes(copy.get_object_id("_id")?.bytes());
            let state: TicketState = serde_json::from_str(copy.get_str("state")?)?;
            Ok((id, (state.price, copy.get_i64("version")?)))
        };
        copies.iter().map(read).collect()
    }

    /// What is left to read once everything has ended.
    pub(super) async fn rest(&self) -> Result<Rest> {
        let timers = self.find("expiration", "timers", doc! {"fired": false}).await?;
        let armed_timers = timers
            .iter()
            .map(|timer| Ok(OrderId::from_bytes(timer.get_object_id("_id")?.bytes())))
            .collect::<Result<_>>()?;
        let mut dead_letters = Vec::new();
        for service in SERVICES {
            for letter in self.find(service, "dead_letters", doc! {}).await? {
                dead_letters.push(format!("{service}: {letter}"));
            }
        }
        Ok(Rest {
            copies: self.copies().await?,
            armed_timers,
            dead_letters,
        })
    }
}

/// How many of the tickets are not as their copies in orders say, or do not show the one of these orders that holds them.
fn differing(
    owned: &[Document],
    copies: &BTreeMap<TicketId, (Cents, i64)>,
    active: &[Document],
) -> Result<usize> {
    let mut holders: BTreeMap<ObjectId, (ObjectId, &str)> = BTreeMap::new();
    for order in active {
        let status = match order.get_str("status")? {
            "complete" | "refunded" => "sold",
            _ => "reserved",
        };
        for ticket in order.get_array("ticketIds")? {
            let ticket = ticket.as_object_id().context("a ticket's id")?;
            holders.insert(ticket, (order.get_object_id("_id")?, status));
        }
    }
    let mut differing = 0;
    for ticket in owned {
        let id = ticket.get_object_id("_id")?;
        let state = (Cents(ticket.get_i64("price")?), ticket.get_i64("version")?);
        let copy = copies.get(&TicketId::from_bytes(id.bytes()));
        let shown = match ticket.get("orderId").and_then(Bson::as_object_id) {
            Some(order) => Some((order, ticket.get_str("status")?)),
            None => None,
        };
        if copy.is_some_and(|copy| *copy != state) || shown != holders.get(&id).copied() {
            differing += 1;
        }
    }
    Ok(differing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_that_is_sold_and_shown_as_reserved_differs() {
        let (ticket, order) = (ObjectId::new(), ObjectId::new());
        let shown = |status: &str| {
            doc! {"_id": ticket, "price": 2_000_i64, "version": 0_i64, "orderId": order, "status": status}
        };
        let active = [doc! {"_id": order, "status": "complete", "ticketIds": [ticket]}];
        let count = |status| differing(&[shown(status)], &BTreeMap::new(), &active).unwrap();
        assert_eq!(count("sold"), 0);
        assert_eq!(count("reserved"), 1);
    }
}
