//! Who buys, what is sold, and the requests they make, written once.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use bigtix_client::{Client, NewEvent, NewTicket, Token};
use bigtix_contracts::api::tickets::Event;
use bigtix_contracts::{Cents, TicketId};

use super::sessions;
use crate::shop::Shop;
use crate::world::{PASSWORD, unique};

/// How many tickets one listing may have.
const LISTING: usize = 1000;

/// A shop that is measured.
#[derive(Clone)]
pub struct Market {
    /// A client on the seller's behalf.
    pub seller: Client,
    /// Distinct buyers.
    pub buyers: Vec<Token>,
    /// Where the edge listens.
    pub edge: SocketAddr,
}

impl Market {
    /// A seller who signs up, and so many buyers who did.
    ///
    /// # Errors
    /// When the shop refuses the seller.
    pub async fn open(shop: &Shop, buyers: usize) -> Result<Self> {
        let url = &shop.run().url;
        let client = Client::new(url);
        let session = client
            .sign_up(&format!("{}@bench.test", unique("seller")), PASSWORD)
            .await
            .context("signing the seller up")?;
        Ok(Self {
            seller: client.signed_in(session.token),
            buyers: sessions::buyers(shop.folder(), buyers)?,
            edge: address_of(url)?,
        })
    }

    /// An event with so many tickets.
    ///
    /// # Errors
    /// When the shop refuses them.
    pub async fn stock(&self, title: &str, quantity: usize) -> Result<(Event, Vec<TicketId>)> {
        let event = NewEvent {
            title: unique(title),
            venue: "Town Hall".into(),
            city: "Springfield".into(),
            starts_at: "2031-05-01T19:30:00Z".parse().context("a time")?,
            time_zone: "America/Chicago".into(),
            image: None,
            description: None,
        };
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
        Ok((event, tickets))
    }
}

/// The address in a URL such as `http://127.0.0.1:8080`.
///
/// # Errors
/// When it is another kind of URL.
pub fn address_of(url: &str) -> Result<SocketAddr> {
    let address = url
        .strip_prefix("http://")
        .map(|rest| rest.trim_end_matches('/').replace("localhost", "127.0.0.1"));
    address
        .and_then(|address| address.parse().ok())
        .with_context(|| format!("{url} is no address on this machine"))
}

/// Writes a POST with a JSON body.
pub fn write_post(request: &mut Vec<u8>, path: &str, token: &Token, body: &str) {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n",
        token.expose(),
        body.len()
    );
    request.extend_from_slice(head.as_bytes());
    request.extend_from_slice(body.as_bytes());
}

/// Writes a GET, on somebody's behalf or on nobody's.
pub fn write_get(request: &mut Vec<u8>, path: &str, token: Option<&Token>) {
    request.extend_from_slice(format!("GET {path} HTTP/1.1\r\nhost: bench\r\n").as_bytes());
    if let Some(token) = token {
        request.extend_from_slice(format!("authorization: Bearer {}\r\n", token.expose()).as_bytes());
    }
    request.extend_from_slice(b"\r\n");
}

/// An answer that was not expected, for a message.
pub fn unexpected(status: u16, body: &[u8]) -> String {
    let body = &body[..body.len().min(300)];
    format!("{status} {}", String::from_utf8_lossy(body))
}
