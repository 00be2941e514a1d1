//! Who buys, and what is sold.

use anyhow::{Context, Result};
use bigtix_client::{Client, NewTicket, Token};
use bigtix_contracts::api::tickets::Event;
use bigtix_contracts::{Cents, TicketId};

use super::sessions::{self, Keys};
use super::wire::Edge;
use crate::world::{PASSWORD, concert, unique};

/// How many tickets one listing may have.
const LISTING: usize = 1000;

/// A shop, its seller and its buyers.
#[derive(Clone)]
pub struct Market {
    /// A client on the seller's behalf.
    pub seller: Client,
    /// Distinct buyers.
    pub buyers: Vec<Token>,
    /// Where the edge listens.
    pub edge: Edge,
}

/// An event, and the tickets that are sold for it.
#[derive(Debug, Clone)]
pub struct Offer {
    /// The event.
    pub event: Event,
    /// Its tickets.
    pub tickets: Vec<TicketId>,
}

impl Market {
    /// A seller who signs up, and so many buyers who did.
    ///
    /// # Errors
    /// When the shop refuses the seller, or the keys make no sessions.
    pub async fn open(url: &str, keys: Keys<'_>, buyers: usize) -> Result<Self> {
        let client = Client::new(url);
        let session = client
            .sign_up(&format!("{}@bench.test", unique("seller")), PASSWORD)
            .await
            .context("signing the seller up")?;
        Ok(Self {
            seller: client.signed_in(session.token),
            buyers: sessions::buyers(keys, buyers)?,
            edge: Edge::of_url(url).await?,
        })
    }

    /// The buyer whose turn it is.
    pub fn buyer(&self, number: usize) -> &Token {
        &self.buyers[number % self.buyers.len()]
    }

    /// An event with so many tickets.
    ///
    /// # Errors
    /// When the shop refuses them.
    pub async fn stock(&self, title: &str, quantity: usize) -> Result<Offer> {
        let event = concert(&unique(title));
        let event = self.seller.add_event(&event).await.context("adding an event")?;
        let draft = NewTicket::new("Standing", Cents(2000)).event(event.id);
        let mut tickets = Vec::with_capacity(quantity);
        while tickets.len() < quantity {
            let portion = LISTING.min(quantity - tickets.len());
            let listed = self
                .seller
                .list_tickets(&draft, portion)
                .await
                .context("listing tickets")?;
            tickets.extend(listed.into_iter().map(|ticket| ticket.id));
        }
        Ok(Offer { event, tickets })
    }

    /// So many events with so many tickets together.
    ///
    /// # Errors
    /// As [`Market::stock`].
    pub async fn stock_events(&self, title: &str, quantity: usize, events: usize) -> Result<Vec<Offer>> {
        let mut offers = Vec::with_capacity(events);
        for _ in 0..events {
            offers.push(self.stock(title, quantity.div_ceil(events)).await?);
        }
        Ok(offers)
    }
}
