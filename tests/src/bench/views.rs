//! Buying, looking, and signing in.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use anyhow::{Context, Result};
use bigtix_contracts::TicketId;
use futures::stream::{self, StreamExt, TryStreamExt};

use crate::load::drive::{Load, drive};
use crate::load::market::{Market, Offer};
use crate::load::shopping::{self, Wish, pay, place};
use crate::load::tally::{Outcome, Tally};
use crate::world::{PASSWORD, unique};

/// How many pages of the list are looked at.
const PAGES: usize = 20;

/// Buys tickets, each visit another one, by so many clients.
pub async fn complete(market: &Market, clients: usize, tickets: &[TicketId], duration: Duration) -> Tally {
    let load = Load::of_clients(&market.edge, clients, duration);
    drive(&load, async |wire, turn| {
        let Some(ticket) = tickets.get(turn.number) else {
            return Outcome::NoWork;
        };
        let buyer = market.buyer(turn.number);
        let bought = match place(wire, buyer, Wish::Ticket(*ticket)).await {
            Ok(placed) => pay(wire, buyer, placed.order).await,
            Err(miss) => Err(miss),
        };
        bought.map_or_else(|miss| miss.expecting(&[]), |()| Outcome::Done)
    })
    .await
}

/// What is looked at.
#[derive(Debug, Clone, Copy)]
pub enum View {
    /// A ticket, by the API.
    Ticket,
    /// The page of a ticket.
    Page,
    /// Pages of the list of all tickets.
    List,
    /// Tickets that have certain words.
    Search,
}

impl View {
    /// The paths that show it.
    ///
    /// # Errors
    /// When the shop does not list its tickets.
    pub async fn paths(self, market: &Market, offer: &Offer) -> Result<Vec<String>> {
        let each = |before: &str| {
            let paths = offer.tickets.iter().map(|ticket| format!("{before}/{ticket}"));
            paths.collect::<Vec<_>>()
        };
        match self {
            Self::Ticket => Ok(each("/api/tickets")),
            Self::Page => Ok(each("/tickets")),
            Self::List => list_paths(market).await,
            Self::Search => {
                // The title ends in a word that no other event has.
                let words = offer.event.title.replace('-', "+");
                let (_, last) = words.rsplit_once('+').unwrap_or(("", &words));
                Ok(vec![
                    format!("/api/tickets?q={last}"),
                    format!("/api/tickets?q={words}"),
                    format!("/api/tickets?q=standing+{last}"),
                    format!("/api/tickets?q=springfield+{last}&limit=20"),
                ])
            }
        }
    }
}

/// The first pages of the list, each by the cursor that the one before came with.
async fn list_paths(market: &Market) -> Result<Vec<String>> {
    let mut paths = vec!["/api/tickets".to_owned()];
    let mut list = market.seller.tickets();
    while paths.len() < PAGES {
        let page = list.clone().page().await.context("the list of tickets")?;
        let Some(cursor) = page.next else { break };
        paths.push(format!("/api/tickets?cursor={cursor}"));
        list = list.after(&cursor);
    }
    Ok(paths)
}

/// Looks at one after the other.
pub async fn look(load: &Load<'_>, paths: &[String]) -> Tally {
    drive(load, async |wire, turn| {
        let looked = shopping::look(wire, turn.one_of(paths)).await;
        looked.map_or_else(|miss| miss.expecting(&[]), |()| Outcome::Done)
    })
    .await
}

/// People with an account each.
#[derive(Debug)]
pub struct People(Vec<String>);

impl People {
    /// Signs so many up.
    ///
    /// # Errors
    /// When the shop refuses one.
    pub async fn sign_up(market: &Market, count: usize) -> Result<Self> {
        let one = async |number: usize| {
            let email = format!("{}@bench.test", unique(&format!("person-{number}")));
            market
                .seller
                .sign_up(&email, PASSWORD)
                .await
                .context("signing up")?;
            anyhow::Ok(email)
        };
        let all = stream::iter(0..count).map(one).buffer_unordered(4);
        Ok(Self(all.try_collect().await?))
    }

    /// They sign in again and again, each from an address of their own: what comes from one address has a limit.
    pub async fn sign_in(&self, market: &Market, duration: Duration) -> Tally {
        let load = Load::of_clients(&market.edge, self.0.len(), duration);
        drive(&load, async |wire, turn| {
            wire.come_from(own_address(turn.client));
            let email = &self.0[turn.client];
            let body = format!("{{\"email\":\"{email}\",\"password\":\"{PASSWORD}\"}}");
            match wire.post("/api/users/signin", None, &body).await {
                Ok(reply) if reply.status == 200 => Outcome::Done,
                Ok(reply) => Outcome::Failed(shopping::unexpected(&reply)),
                Err(error) => Outcome::Failed(format!("no answer: {error}")),
            }
        })
        .await
    }
}

/// One of the many addresses of this machine's loopback.
fn own_address(client: usize) -> IpAddr {
    let [high, low] = u16::try_from(client + 1).unwrap_or(u16::MAX).to_be_bytes();
    Ipv4Addr::new(127, 77, high, low).into()
}
