//! Sellers and buyers of a running shop, and what its databases hold of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bigtix_client::{Client, ClientError, NewOrder, NewTicket, Session};
use bigtix_contracts::api::payments::Payment;
use bigtix_contracts::{Cents, OrderId, TicketId};
use bson::oid::ObjectId;
use bson::{Document, doc};
use futures::TryStreamExt;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::machine::{Machine, post_form};

pub(crate) const PASSWORD: &str = "Abcdef12";
const CARD: &str =
    "key=pk_test_bigtix&card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=2034&card[cvc]=123";

pub(crate) fn url(machine: &Machine) -> String {
    machine.run_file().unwrap()["url"].as_str().unwrap().to_owned()
}

/// Somebody who is signed in, with what their browser knows.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) shop: Client,
    stripe: String,
}

pub(crate) async fn sign_up(machine: &Machine, name: &str) -> Person {
    let shop = Client::new(&url(machine));
    let session = shop.sign_up(&email(name), PASSWORD).await.unwrap();
    person(machine, session)
}

pub(crate) async fn sign_in(machine: &Machine, name: &str) -> Person {
    let shop = Client::new(&url(machine));
    let session = shop.sign_in(&email(name), PASSWORD).await.unwrap();
    person(machine, session)
}

fn person(machine: &Machine, session: Session) -> Person {
    let run = machine.run_file().unwrap();
    Person {
        shop: Client::new(&url(machine)).signed_in(session.token),
        stripe: run["stripe"]["url"].as_str().unwrap().to_owned(),
    }
}

fn email(name: &str) -> String {
    format!("{name}@shop.test")
}

pub(crate) async fn list_tickets(seller: &Person, count: usize) -> Vec<TicketId> {
    let draft = NewTicket::new("Row F", Cents(20_00));
    let tickets = seller.shop.list_tickets(&draft, count).await.unwrap();
    tickets.into_iter().map(|ticket| ticket.id).collect()
}

/// Orders that nobody touches any more, one in each state that lasts.
pub(crate) struct Settled {
    pub(crate) tickets: [TicketId; 4],
    pub(crate) orders: [OrderId; 4],
}

pub(crate) async fn settle(seller: &Person, buyer: &Person, tickets: [TicketId; 4]) -> Settled {
    let mut orders = Vec::new();
    for ticket in tickets {
        orders.push(place(buyer, ticket).await.unwrap());
    }
    let orders: [OrderId; 4] = orders.try_into().unwrap();
    let [_reserved, complete, cancelled, refunded] = orders;
    assert!(pay(buyer, complete).await.success);
    buyer.shop.cancel_order(cancelled).await.unwrap();
    assert!(pay(buyer, refunded).await.success);
    let refund = seller.shop.refund(refunded, false).idempotency_key("refund");
    refund.await.unwrap();
    Settled { tickets, orders }
}

impl Settled {
    /// What the API answers their buyer.
    pub(crate) async fn seen(&self, buyer: &Person) -> Value {
        let (mut tickets, mut orders, mut payments) = (Vec::new(), Vec::new(), Vec::new());
        for ticket in self.tickets {
            tickets.push(buyer.shop.ticket(ticket).await.unwrap());
        }
        for order in self.orders {
            orders.push(buyer.shop.order(order).await.unwrap());
            payments.push(buyer.shop.payment(order).await.ok());
        }
        let user = buyer.shop.current_user().await.unwrap().map(|user| user.email);
        json!({"user": user, "tickets": tickets, "orders": orders, "payments": payments})
    }

    /// What the databases hold of them.
    pub(crate) async fn stored(&self, machine: &Machine) -> BTreeMap<&'static str, Vec<Document>> {
        let oids = |ids: &mut dyn Iterator<Item = [u8; 12]>| -> Vec<ObjectId> {
            ids.map(ObjectId::from_bytes).collect()
        };
        let tickets = oids(&mut self.tickets.iter().map(|id| id.bytes()));
        let orders = oids(&mut self.orders.iter().map(|id| id.bytes()));
        let all = [
            ("users", "auth", "users", doc! {}),
            ("tickets", "tickets", "tickets", doc! {"_id": {"$in": tickets}}),
            ("claims", "orders", "claims", doc! {"_id": {"$in": &orders}}),
            (
                "payments",
                "payments",
                "payments",
                doc! {"orderId": {"$in": &orders}},
            ),
        ];
        let mut stored = BTreeMap::new();
        for (what, database, collection, filter) in all {
            stored.insert(what, rows(machine, database, collection, filter).await);
        }
        stored
    }
}

pub(crate) async fn database(machine: &Machine, name: &str) -> mongodb::Database {
    let run = machine.run_file().unwrap();
    let uri = run["mongodb"]["uri"].as_str().unwrap();
    mongodb::Client::with_uri_str(uri).await.unwrap().database(name)
}

pub(crate) async fn rows(machine: &Machine, of: &str, collection: &str, filter: Document) -> Vec<Document> {
    let collection = database(machine, of).await.collection(collection);
    let found = collection.find(filter).sort(doc! {"_id": 1}).await;
    found.unwrap().try_collect().await.unwrap()
}

/// Documents that take a while to read and to write.
pub(crate) async fn ballast(machine: &Machine, of: &str) {
    let collection = database(machine, of).await.collection::<Document>("zz_ballast");
    for part in 0..20 {
        let documents = (0..1000).map(|n| doc! {"_id": part * 1000 + n, "text": "x".repeat(200)});
        collection.insert_many(documents).await.unwrap();
    }
}

/// Buyers who buy one ticket after the other, each ticket once, until they are told to stop.
pub(crate) struct Crowd {
    bought: Arc<std::sync::Mutex<Vec<OrderId>>>,
    stop: CancellationToken,
    buyers: TaskTracker,
}

impl Crowd {
    pub(crate) fn gather(buyers: Vec<Person>, tickets: &[TicketId]) -> Self {
        let crowd = Self {
            bought: Arc::default(),
            stop: CancellationToken::new(),
            buyers: TaskTracker::new(),
        };
        let next = Arc::new(AtomicUsize::new(0));
        for buyer in buyers {
            let (bought, stop, next) = (Arc::clone(&crowd.bought), crowd.stop.clone(), Arc::clone(&next));
            let tickets = tickets.to_vec();
            crowd.buyers.spawn(async move {
                while !stop.is_cancelled()
                    && let Some(ticket) = tickets.get(next.fetch_add(1, Ordering::SeqCst))
                {
                    let order = place(&buyer, *ticket).await.unwrap();
                    assert!(pay(&buyer, order).await.success);
                    bought.lock().unwrap().push(order);
                }
            });
        }
        crowd.buyers.close();
        crowd
    }

    /// Orders that were answered to be complete so far.
    pub(crate) fn bought(&self) -> Vec<OrderId> {
        self.bought.lock().unwrap().clone()
    }

    pub(crate) async fn stop(self) -> Vec<OrderId> {
        self.stop.cancel();
        self.buyers.wait().await;
        self.bought()
    }
}

/// Buys and pays for a ticket; whether that went well.
pub(crate) async fn buy(buyer: &Person, ticket: TicketId) -> bool {
    match place(buyer, ticket).await {
        Ok(order) => pay(buyer, order).await.success,
        Err(_) => false,
    }
}

async fn place(buyer: &Person, ticket: TicketId) -> Result<OrderId, ClientError> {
    let order = buyer.shop.place_order(&NewOrder::ticket(ticket));
    let order = order.idempotency_key(format!("order-{ticket}")).await?;
    Ok(order.id)
}

/// With a key, so that a machine with too much to do is asked again.
async fn pay(buyer: &Person, order: OrderId) -> Payment {
    let (status, token) = post_form(&format!("{}/v1/tokens", buyer.stripe), CARD).await;
    assert_eq!(status, 200, "{token}");
    let payment = buyer.shop.pay(order, token["id"].as_str().unwrap());
    payment.idempotency_key(format!("pay-{order}")).await.unwrap()
}
