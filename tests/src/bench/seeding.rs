//! Tickets by the hundred thousand. One is listed through the API; its document, as the tickets service stored it, is
//! copied into the same collection under other ids, and the relay publishes the copies like any listing.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bigtix_contracts::TicketId;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{DateTime, Document, doc};
use mongodb::options::ClientOptions;
use mongodb::{Client, Collection};

use crate::Shop;
use crate::load::market::{Market, Offer};
use crate::load::quiet::come_to_rest_within;

/// As many go in one command.
const BATCH: usize = 1000;
/// A shop that publishes and copies fewer tickets a second is not waited for.
const SLOWEST: f64 = 500.0;
/// How long a shop may take to come to rest that has almost nothing to do.
const LEAST: Duration = Duration::from_secs(120);

/// An event with so many tickets, once the whole shop knows of them.
///
/// # Errors
/// When the shop or its store refuses them, or it does not come to rest.
pub async fn seed(market: &Market, shop: &Shop, title: &str, quantity: usize) -> Result<Offer> {
    let mut offer = market.stock(title, 1).await?;
    let options = ClientOptions::parse(&shop.run().mongodb.uri)
        .await
        .context("mongod's address")?;
    let tickets: Collection<Document> = Client::with_options(options)?
        .database("tickets")
        .collection("tickets");
    let first = offer.tickets.first().context("a ticket to copy")?.bytes();
    let pattern = tickets
        .find_one(doc! {"_id": ObjectId::from_bytes(first)})
        .await?
        .context("the ticket is not in the store")?;
    let began = Instant::now();
    let mut said = began;
    while offer.tickets.len() < quantity {
        let count = BATCH.min(quantity - offer.tickets.len());
        let copies: Vec<(ObjectId, Document)> = (0..count)
            .map(|number| copy(&pattern, offer.tickets.len() + number))
            .collect();
        offer
            .tickets
            .extend(copies.iter().map(|(id, _)| TicketId::from_bytes(id.bytes())));
        let documents = copies.into_iter().map(|(_, document)| document);
        let inserted = tickets.insert_many(documents).ordered(false).await?;
        ensure!(
            inserted.inserted_ids.len() == count,
            "the store did not take all tickets"
        );
        if said.elapsed() > Duration::from_secs(5) {
            said = Instant::now();
            eprintln!("  {} of {quantity} tickets are there", offer.tickets.len());
        }
    }
    let patience = LEAST + Duration::from_secs_f64(quantity as f64 / SLOWEST);
    come_to_rest_within(shop, patience).await?;
    let took = began.elapsed().as_secs_f64();
    eprintln!("  {quantity} tickets of {title} are known everywhere after {took:.0} s");
    Ok(offer)
}

/// The same ticket, as if it were another one: listed a moment before the one with the next lower number.
fn copy(pattern: &Document, number: usize) -> (ObjectId, Document) {
    let mut document = pattern.clone();
    let id = ObjectId::new();
    document.insert("_id", id);
    document.insert("serialNumber", id.to_hex());
    if let Ok(created) = pattern.get_datetime("createdAt") {
        let earlier = created.timestamp_millis() - i64::try_from(number).unwrap_or(i64::MAX);
        document.insert("createdAt", DateTime::from_millis(earlier));
    }
    (id, document)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_another_ticket_of_the_same_event() {
        let pattern = doc! {
            "_id": ObjectId::new(), "serialNumber": "S-1", "eventId": "e", "createdAt": DateTime::from_millis(1000),
        };
        let ((one, first), (other, second)) = (copy(&pattern, 1), copy(&pattern, 2));
        assert_ne!(one, other);
        assert_eq!(first.get_object_id("_id").unwrap(), one);
        assert_eq!(first.get_str("serialNumber").unwrap(), one.to_hex());
        assert_eq!(first.get_str("eventId").unwrap(), "e");
        let created = [first, second].map(|copy| copy.get_datetime("createdAt").unwrap().timestamp_millis());
        assert_eq!(created, [999, 998]);
    }
}
