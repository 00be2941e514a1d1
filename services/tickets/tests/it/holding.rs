//! What the news of orders shows on tickets.

use bigtix_contracts::events::{CancelReason, Envelope, OrderState, OrderStatus, OrderTicket};
use bigtix_contracts::{Cents, OrderId, TicketId, UserId};
use bigtix_service::mongo::new_id;
use bigtix_service::outbox::{Outbox, ReadError};
use bigtix_testkit::eventually;
use bson::{Document, doc};
use jiff::Timestamp;
use mongodb::Collection;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::market::{Market, ticket_id};

const NEWS: &str = "order_news";

/// The orders service, as far as its news goes.
struct Orders {
    news: Collection<Document>,
    stop: CancellationToken,
    relay: tokio::task::JoinHandle<()>,
}

fn read_news(document: &Document) -> Result<Envelope<OrderState>, ReadError> {
    let text = document
        .get_str("envelope")
        .map_err(|error| ReadError(error.to_string()))?;
    serde_json::from_str(text).map_err(|error| ReadError(error.to_string()))
}

impl Orders {
    async fn open(market: &Market) -> Self {
        let mongo = market.mongo().await;
        let stop = CancellationToken::new();
        let outbox = Outbox {
            collection: NEWS,
            filter: doc! {},
            read: read_news,
        };
        let relay = tokio::spawn(outbox.relay(mongo.clone(), market.bus().await).run(stop.clone()));
        Self {
            news: mongo.collection(NEWS),
            stop,
            relay,
        }
    }

    async fn publish(&self, order: &OrderState, version: i64) {
        let envelope = Envelope::new(order.clone(), version, Timestamp::now(), None);
        let text = serde_json::to_string(&envelope).unwrap();
        let document = doc! {"_id": order.id.to_string(), "version": version, "envelope": text};
        let same = doc! {"_id": order.id.to_string()};
        self.news.replace_one(same, document).upsert(true).await.unwrap();
    }

    async fn close(self) {
        self.stop.cancel();
        self.relay.await.unwrap();
    }
}

fn order(tickets: &[TicketId]) -> OrderState {
    let line = |id: &TicketId| OrderTicket {
        id: *id,
        seller_id: UserId::from_bytes([1; 12]),
        title: "T".into(),
        price: Cents(100),
        version: 0,
        serial_number: "S".into(),
        event_id: None,
    };
    OrderState {
        id: OrderId::from_bytes(new_id()),
        user_id: UserId::from_bytes([2; 12]),
        status: OrderStatus::Created,
        reason: None,
        expires_at: Timestamp::now(),
        created_at: Timestamp::now(),
        total: Cents(100),
        tickets: tickets.iter().map(line).collect(),
        payment_id: None,
        relisted: false,
        turn: None,
    }
}

async fn await_status(market: &Market, ticket: &Value, status: &str) -> Value {
    eventually(status, async || {
        let ticket = market.read(ticket).await;
        (ticket["status"] == status).then_some(ticket)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_follows_its_orders() {
    let market = Market::open().await;
    let orders = Orders::open(&market).await;
    let seller = market.person();
    let (a, b) = (market.list_any(&seller).await, market.list_any(&seller).await);
    let mut first = order(&[ticket_id(&a), ticket_id(&b)]);
    orders.publish(&first, 0).await;
    for ticket in [&a, &b] {
        let reserved = await_status(&market, ticket, "reserved").await;
        assert_eq!(
            (&reserved["orderId"], &reserved["version"]),
            (&json!(first.id), &json!(0))
        );
    }
    assert_eq!(market.get("/api/tickets").await.ok(200), json!([]));
    assert_eq!(
        market
            .get("/api/tickets?status=reserved")
            .await
            .column("id")
            .len(),
        2
    );
    (first.status, first.reason) = (OrderStatus::Cancelled, Some(CancelReason::Expired));
    orders.publish(&first, 1).await;
    for ticket in [&a, &b] {
        assert_eq!(
            await_status(&market, ticket, "available").await["orderId"],
            Value::Null
        );
    }
    let mut second = order(&[ticket_id(&a)]);
    (second.status, second.payment_id) = (OrderStatus::Complete, None);
    orders.publish(&second, 2).await;
    assert_eq!(
        await_status(&market, &a, "sold").await["orderId"],
        json!(second.id)
    );
    assert_eq!(
        market.get("/api/tickets?status=sold").await.column("id"),
        [a["id"].as_str().unwrap()]
    );
    second.status = OrderStatus::Refunded;
    orders.publish(&second, 3).await;
    second.relisted = true;
    orders.publish(&second, 4).await;
    assert_eq!(
        await_status(&market, &a, "available").await["orderId"],
        Value::Null
    );
    orders.close().await;
    market.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_bought_a_ticket_can_list_it_at_once() {
    let market = Market::open().await;
    let orders = Orders::open(&market).await;
    let (seller, buyer) = (market.person(), market.person());
    let body = json!({"title": "T", "price": 1, "serialNumber": "S"});
    let sold = market.list(&seller, body.clone()).await;
    let mut sale = order(&[ticket_id(&sold)]);
    sale.status = OrderStatus::Complete;
    let publish = orders.publish(&sale, 2);
    let ((), again) = tokio::join!(publish, market.post(&buyer, "/api/tickets", body.clone()));
    assert_eq!(
        again.status, 201,
        "it waits for the news of the sale: {}",
        again.body
    );
    sale.status = OrderStatus::Refunded;
    sale.relisted = true;
    orders.publish(&sale, 3).await;
    await_status(&market, &sold, "available").await;
    let third = market.post(&seller, "/api/tickets", body).await;
    assert_eq!(third.message(), (400, "Serial number is already listed"));
    orders.close().await;
    market.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn late_news_changes_nothing() {
    let market = Market::open().await;
    let orders = Orders::open(&market).await;
    let ticket = market.list_any(&market.person()).await;
    let mut old = order(&[ticket_id(&ticket)]);
    let mut new = order(&[ticket_id(&ticket)]);
    new.created_at = old.created_at + jiff::SignedDuration::from_secs(1);
    new.status = OrderStatus::Complete;
    orders.publish(&new, 2).await;
    await_status(&market, &ticket, "sold").await;
    orders.publish(&old, 0).await;
    old.status = OrderStatus::Cancelled;
    orders.publish(&old, 1).await;
    // The news of another ticket comes after it, so once that is here the late news has been here too.
    let other = market.list_any(&market.person()).await;
    orders.publish(&order(&[ticket_id(&other)]), 0).await;
    await_status(&market, &other, "reserved").await;
    assert_eq!(market.read(&ticket).await["orderId"], json!(new.id));
    orders.close().await;
    market.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawn_ticket_stays_withdrawn_whatever_the_news() {
    let market = Market::open().await;
    let orders = Orders::open(&market).await;
    let seller = market.person();
    let (ticket, other) = (market.list_any(&seller).await, market.list_any(&seller).await);
    let path = format!("/api/tickets/{}", ticket["id"].as_str().unwrap());
    market
        .ask(&seller, reqwest::Method::DELETE, &path, None)
        .await
        .ok(200);
    let mut late = order(&[ticket_id(&ticket), ticket_id(&other)]);
    late.status = OrderStatus::Complete;
    orders.publish(&late, 2).await;
    await_status(&market, &other, "sold").await;
    let withdrawn = market.read(&ticket).await;
    assert_eq!(
        (&withdrawn["status"], &withdrawn["orderId"]),
        (&json!("withdrawn"), &Value::Null)
    );
    orders.close().await;
    market.close().await;
}
