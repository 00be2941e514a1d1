//! The expiration service against real stores: orders come from a relay of their own, and what fires is heard by a
//! subscription as the orders service has it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use bigtix_contracts::events::{CancelReason, Envelope, OrderState, OrderStatus, OrderTicket, TimerState};
use bigtix_contracts::{Cents, OrderId, TicketId, UserId};
use bigtix_service::inbox::{HandlerError, Subscription};
use bigtix_service::mongo::{Mongo, MongoConfig, new_id, to_object_id};
use bigtix_service::nats::{Bus, NatsConfig};
use bigtix_service::outbox::{Outbox, ReadError};
use bigtix_service::{Listen, Running, Secret, Settings};
use bigtix_testkit::eventually::eventually;
use bigtix_testkit::stores::shared;
use bson::{Document, doc};
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

struct Shop {
    expiration: Running,
    orders: Mongo,
    fired: Arc<Mutex<Vec<OrderId>>>,
    stop: CancellationToken,
}

fn read_order(document: &Document) -> Result<Envelope<OrderState>, ReadError> {
    let text = document
        .get_str("order")
        .map_err(|error| ReadError(error.to_string()))?;
    let order: OrderState = serde_json::from_str(text).map_err(|error| ReadError(error.to_string()))?;
    let version = document
        .get_i64("version")
        .map_err(|error| ReadError(error.to_string()))?;
    Ok(Envelope::new(order, version, Timestamp::now(), None))
}

async fn shop(redis_url: String) -> Shop {
    let (timers, orders, prefix) = (shared().database(), shared().database(), shared().prefix());
    let mut settings = Settings::from_map(BTreeMap::from([
        ("MONGODB_URI".to_owned(), timers.uri),
        ("MONGODB_DATABASE".to_owned(), timers.name),
        ("NATS_URL".to_owned(), shared().nats_url()),
        ("NATS_PREFIX".to_owned(), prefix.clone()),
        ("REDIS_URL".to_owned(), redis_url),
    ]));
    let config = bigtix_expiration::Config::read(&mut settings);
    settings.finish().unwrap();
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let service = bigtix_expiration::service(config).await.unwrap();
    let expiration = service
        .start(Listen {
            public: any,
            internal: None,
        })
        .await
        .unwrap();

    let stop = CancellationToken::new();
    let mongo = MongoConfig {
        uri: Secret::new(orders.uri),
        database: orders.name,
    };
    let orders = Mongo::connect(&mongo).await.unwrap();
    let nats = NatsConfig {
        url: Secret::new(shared().nats_url()),
        prefix,
        replicas: 1,
    };
    let bus = Bus::connect(&nats, "orders").await.unwrap();
    let relay = Outbox {
        collection: "orders",
        filter: doc! {},
        read: read_order,
    };
    tokio::spawn(relay.relay(orders.clone(), bus.clone()).run(stop.clone()));
    let fired: Arc<Mutex<Vec<OrderId>>> = Arc::default();
    let heard = fired.clone();
    let subscription = Subscription::new("orders-expiration", move |events: Vec<Envelope<TimerState>>| {
        heard
            .lock()
            .unwrap()
            .extend(events.iter().flat_map(|event| event.data.orders()));
        async { Ok::<(), HandlerError>(()) }
    });
    tokio::spawn(subscription.run(orders.clone(), bus, stop.clone()));
    Shop {
        expiration,
        orders,
        fired,
        stop,
    }
}

impl Shop {
    async fn publish(&self, order: &OrderState, version: i64) {
        let text = serde_json::to_string(order).unwrap();
        let set = doc! {"$set": {"order": text, "version": version}};
        let id = doc! {"_id": to_object_id(order.id.bytes())};
        self.orders
            .collection("orders")
            .update_one(id, set)
            .upsert(true)
            .await
            .unwrap();
    }

    async fn wait_until_fired(&self, id: OrderId) {
        eventually("the timer fires", async || {
            self.fired.lock().unwrap().contains(&id).then_some(())
        })
        .await;
    }

    async fn stop(self) {
        self.stop.cancel();
        self.expiration.stop().await;
    }
}

fn order(due_in: SignedDuration) -> OrderState {
    let now = Timestamp::now();
    OrderState {
        id: OrderId::from_bytes(new_id()),
        user_id: UserId::from_bytes(new_id()),
        status: OrderStatus::Created,
        reason: None,
        expires_at: now + due_in,
        created_at: now,
        total: Cents(100),
        tickets: vec![OrderTicket {
            id: TicketId::from_bytes(new_id()),
            seller_id: UserId::from_bytes(new_id()),
            title: "Row F".into(),
            price: Cents(100),
            version: 0,
            serial_number: "F1".into(),
            event_id: None,
        }],
        payment_id: None,
        relisted: false,
        turn: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_fires_when_its_order_is_due_and_none_is_for_one_that_ended() {
    let shop = shop(shared().redis_url()).await;
    let (due, later) = (
        order(SignedDuration::from_millis(700)),
        order(SignedDuration::from_hours(1)),
    );
    let cancelled = OrderState {
        status: OrderStatus::Cancelled,
        reason: Some(CancelReason::User),
        ..order(SignedDuration::from_millis(700))
    };
    for order in [&due, &cancelled, &later] {
        shop.publish(order, 0).await;
    }
    shop.wait_until_fired(due.id).await;
    assert!(Timestamp::now() >= due.expires_at, "it fired too early");
    // One more that is due after the cancelled one: when it has fired, the cancelled one had its chance.
    let after = order(SignedDuration::from_millis(300));
    shop.publish(&after, 0).await;
    shop.wait_until_fired(after.id).await;
    let fired = shop.fired.lock().unwrap().clone();
    assert!(
        !fired.contains(&cancelled.id) && !fired.contains(&later.id),
        "{fired:?}"
    );
    shop.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_orders_that_are_due_at_once_are_all_woken() {
    let shop = shop(shared().redis_url()).await;
    let first = order(SignedDuration::from_secs(3));
    let orders: Vec<OrderState> = (0..300)
        .map(|_| OrderState {
            expires_at: first.expires_at,
            ..order(SignedDuration::ZERO)
        })
        .collect();
    join_all(orders.iter().map(|order| shop.publish(order, 0))).await;
    let all: BTreeSet<OrderId> = orders.iter().map(|order| order.id).collect();
    eventually("all timers fire", async || {
        let fired: BTreeSet<OrderId> = shop.fired.lock().unwrap().iter().copied().collect();
        (fired == all).then_some(())
    })
    .await;
    shop.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn timers_fire_without_redis() {
    let shop = shop("redis://127.0.0.1:1/".to_owned()).await;
    let due = order(SignedDuration::from_millis(300));
    shop.publish(&due, 0).await;
    shop.wait_until_fired(due.id).await;
    shop.stop().await;
}
