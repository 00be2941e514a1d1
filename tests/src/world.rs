//! What a scenario has in hand.

use std::sync::Arc;

use bigtix_client::{Client, NewEvent, NewOrder, NewTicket, Token};
use bigtix_contracts::api::auth::User;
use bigtix_contracts::api::orders::Order;
use bigtix_contracts::api::payments::Payment;
use bigtix_contracts::api::tickets::{Event, Ticket};
use bigtix_contracts::{Cents, TicketId};
use futures::stream::{self, StreamExt};
use reqwest::Method;

use crate::stripe::{self, Card};
use crate::{Ask, Shop};

/// A password that every policy accepts.
pub const PASSWORD: &str = "Tickets-4-all";

/// A running shop and a way to ask it.
#[derive(Clone)]
pub struct World {
    shop: Arc<Shop>,
    client: Client,
    crowd: Crowd,
}

/// People of a shop who come again and again.
pub type Crowd = Arc<tokio::sync::Mutex<Vec<Person>>>;

/// Somebody with an account, signed in.
#[derive(Debug, Clone)]
pub struct Person {
    /// The account.
    pub user: User,
    /// The session's token.
    pub token: Token,
    /// A client on their behalf.
    pub client: Client,
}

impl AsRef<Token> for Person {
    fn as_ref(&self) -> &Token {
        &self.token
    }
}

/// A word that no other call returns.
pub fn unique(word: &str) -> String {
    format!("{word}-{:016x}", rand::random::<u64>())
}

/// An event that has yet to come.
pub fn concert(title: &str) -> NewEvent {
    NewEvent {
        title: title.into(),
        venue: "Town Hall".into(),
        city: "Springfield".into(),
        starts_at: "2031-05-01T19:30:00Z".parse().expect("a time"),
        time_zone: "America/Chicago".into(),
        image: None,
        description: None,
    }
}

impl World {
    /// In this shop, by its front door.
    pub fn new(shop: Arc<Shop>, crowd: Crowd) -> Self {
        let client = Client::new(&shop.run().url);
        Self { shop, client, crowd }
    }

    /// The shop.
    pub fn shop(&self) -> &Shop {
        &self.shop
    }

    /// A client on nobody's behalf.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// A request to the edge.
    pub fn ask(&self, method: Method, path: &str) -> Ask {
        Ask::new(method, format!("{}{path}", self.shop.run().url))
    }

    /// GET.
    pub fn get(&self, path: &str) -> Ask {
        self.ask(Method::GET, path)
    }

    /// POST.
    pub fn post(&self, path: &str) -> Ask {
        self.ask(Method::POST, path)
    }

    /// PUT.
    pub fn put(&self, path: &str) -> Ask {
        self.ask(Method::PUT, path)
    }

    /// PATCH.
    pub fn patch(&self, path: &str) -> Ask {
        self.ask(Method::PATCH, path)
    }

    /// DELETE.
    pub fn delete(&self, path: &str) -> Ask {
        self.ask(Method::DELETE, path)
    }

    /// Somebody new.
    pub async fn person(&self) -> Person {
        self.person_called(&format!("{}@people.test", unique("p"))).await
    }

    /// Somebody new with this address.
    pub async fn person_called(&self, email: &str) -> Person {
        let session = self.client.sign_up(email, PASSWORD).await.expect("a sign-up");
        Person {
            client: self.client.signed_in(session.token.clone()),
            token: session.token,
            user: session.user,
        }
    }

    /// A seller and a buyer.
    pub async fn two_people(&self) -> (Person, Person) {
        futures::join!(self.person(), self.person())
    }

    /// Many people, the same ones each time: hashing their passwords takes long.
    pub async fn people(&self, count: usize) -> Vec<Person> {
        let mut crowd = self.crowd.lock().await;
        let missing = count.saturating_sub(crowd.len());
        let sign_ups = stream::iter(0..missing).map(|_| self.person());
        crowd.extend(sign_ups.buffer_unordered(8).collect::<Vec<_>>().await);
        crowd[..count].to_vec()
    }

    /// A card token of a card that pays.
    pub async fn good_card(&self) -> String {
        stripe::card_token(&self.shop, Card::Good).await
    }
}

impl Person {
    /// Lists a ticket at this price.
    pub async fn lists(&self, price: Cents) -> Ticket {
        let ticket = NewTicket::new("Row F, seat 12", price);
        self.client.list_ticket(&ticket).await.expect("a listing")
    }

    /// Adds an event to the catalogue.
    pub async fn adds_an_event(&self, title: &str) -> Event {
        let event = concert(title);
        self.client.add_event(&event).await.expect("an event")
    }

    /// Lists so many tickets for the event, at this price.
    pub async fn lists_for(&self, event: &Event, quantity: usize, price: Cents) -> Vec<Ticket> {
        let ticket = NewTicket::new("Standing", price).event(event.id);
        self.client
            .list_tickets(&ticket, quantity)
            .await
            .expect("listings")
    }

    /// Reserves a ticket.
    pub async fn reserves(&self, ticket: TicketId) -> Order {
        self.client
            .place_order(&NewOrder::ticket(ticket))
            .await
            .expect("an order")
    }

    /// Reserves a ticket and pays for it.
    pub async fn buys(&self, world: &World, ticket: TicketId) -> (Order, Payment) {
        let order = self.reserves(ticket).await;
        let card = world.good_card().await;
        let payment = self.client.pay(order.id, &card).await.expect("a payment");
        assert!(payment.success, "{payment:?}");
        (order, payment)
    }
}
