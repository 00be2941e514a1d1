//! An orders service that holds real order states, answers the internal calls, and can be told to be slow or away.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use bigtix_contracts::events::{CancelReason, OrderState, OrderStatus, OrderTicket, Versioned};
use bigtix_contracts::internal::{ConfirmOrder, ConfirmOutcome, ReadOrder, RefundOrder, SettleOrder, paths};
use bigtix_contracts::{Cents, OrderId, PaymentId, TicketId, UserId};
use bson::oid::ObjectId;
use jiff::{SignedDuration, Timestamp};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What happens to the calls of one path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It is never answered, and has no effect.
    SwallowBefore,
    /// It has its effect and is never answered.
    SwallowAfter,
    /// 503, without effect.
    Away,
    /// The order runs out of time just before.
    ExpireBefore,
    /// The order is cancelled just before, though it was confirmed: what no orders service does.
    ForgetBefore,
}

#[derive(Default)]
struct Book {
    orders: HashMap<OrderId, Versioned<OrderState>>,
    trouble: HashMap<&'static str, Trouble>,
    calls: HashMap<String, u32>,
}

type Shared = Arc<Mutex<Book>>;

/// The double; it stops when dropped.
pub(crate) struct OrdersDouble {
    pub(crate) url: String,
    book: Shared,
    serving: JoinHandle<()>,
}

impl Drop for OrdersDouble {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl OrdersDouble {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))
            .await
            .unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let book = Shared::default();
        let routes = Router::new()
            .route(paths::READ_ORDER, post(read))
            .route(paths::CONFIRM, post(confirm))
            .route(paths::COMPLETE, post(complete))
            .route(paths::FAIL, post(fail))
            .route(paths::REFUND, post(refund))
            .layer(middleware::from_fn_with_state(book.clone(), meddle))
            .with_state(book.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { url, book, serving }
    }

    /// An order of `buyer`'s over one ticket of `seller`'s for each of `prices`.
    pub(crate) fn place(&self, buyer: UserId, seller: UserId, prices: &[i64]) -> OrderId {
        let ticket = |price: &i64| OrderTicket {
            id: TicketId::from_bytes(ObjectId::new().bytes()),
            seller_id: seller,
            title: "Concert".into(),
            price: Cents(*price),
            version: 0,
            serial_number: ObjectId::new().to_hex(),
            event_id: None,
        };
        let now = Timestamp::now();
        let order = OrderState {
            id: OrderId::from_bytes(ObjectId::new().bytes()),
            user_id: buyer,
            status: OrderStatus::Created,
            reason: None,
            expires_at: now + SignedDuration::from_mins(15),
            created_at: now,
            total: prices.iter().map(|price| Cents(*price)).sum(),
            tickets: prices.iter().map(ticket).collect(),
            payment_id: None,
            relisted: false,
            turn: None,
        };
        let id = order.id;
        self.book.lock().unwrap().orders.insert(
            id,
            Versioned {
                version: 0,
                state: order,
            },
        );
        id
    }

    pub(crate) fn order(&self, id: OrderId) -> OrderState {
        self.book.lock().unwrap().orders[&id].state.clone()
    }

    pub(crate) fn status(&self, id: OrderId) -> OrderStatus {
        self.order(id).status
    }

    pub(crate) fn cancel(&self, id: OrderId, reason: CancelReason) -> Versioned<OrderState> {
        let mut book = self.book.lock().unwrap();
        let order = book.orders.get_mut(&id).unwrap();
        close(order, reason);
        order.clone()
    }

    pub(crate) fn cause(&self, path: &'static str, trouble: Trouble) {
        self.book.lock().unwrap().trouble.insert(path, trouble);
    }

    pub(crate) fn calm(&self) {
        self.book.lock().unwrap().trouble.clear();
    }

    /// How often a path was called.
    pub(crate) fn calls(&self, path: &str) -> u32 {
        self.book.lock().unwrap().calls.get(path).copied().unwrap_or(0)
    }
}

async fn meddle(State(book): State<Shared>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let trouble = {
        let mut book = book.lock().unwrap();
        *book.calls.entry(path.clone()).or_default() += 1;
        book.trouble.get(path.as_str()).copied()
    };
    match trouble {
        None => next.run(request).await,
        Some(Trouble::SwallowBefore) => std::future::pending().await,
        Some(Trouble::SwallowAfter) => {
            next.run(request).await;
            std::future::pending().await
        }
        Some(Trouble::Away) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Some(Trouble::ExpireBefore) => {
            for order in book.lock().unwrap().orders.values_mut() {
                close(order, CancelReason::Expired);
            }
            next.run(request).await
        }
        Some(Trouble::ForgetBefore) => {
            book.lock().unwrap().orders.values_mut().for_each(forget);
            next.run(request).await
        }
    }
}

fn forget(order: &mut Versioned<OrderState>) {
    order.state.status = OrderStatus::Cancelled;
    order.state.reason = Some(CancelReason::User);
    order.version += 1;
}

fn close(order: &mut Versioned<OrderState>, reason: CancelReason) {
    if order.state.status == OrderStatus::Created {
        order.state.status = OrderStatus::Cancelled;
        order.state.reason = Some(reason);
        order.version += 1;
    }
}

async fn read(State(book): State<Shared>, Json(question): Json<ReadOrder>) -> Response {
    match book.lock().unwrap().orders.get(&question.order_id) {
        Some(order) => Json(order.clone()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Moves an order from one of the states in `from` to `to` for a payment; done, too, when it is there by that payment.
fn step(book: &Shared, id: OrderId, payment: PaymentId, from: OrderStatus, to: OrderStatus) -> Response {
    let mut book = book.lock().unwrap();
    let Some(order) = book.orders.get_mut(&id) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let is_its_own = order.state.payment_id == Some(payment);
    if order.state.status == from && (is_its_own || from == OrderStatus::Created) {
        order.state.status = to;
        order.state.payment_id = Some(payment);
        order.version += 1;
    }
    let done = order.state.status == to && order.state.payment_id == Some(payment);
    let order = order.clone();
    Json(if done {
        ConfirmOutcome::Done { order }
    } else {
        ConfirmOutcome::Closed { order }
    })
    .into_response()
}

async fn confirm(State(book): State<Shared>, Json(it): Json<ConfirmOrder>) -> Response {
    step(
        &book,
        it.order_id,
        it.payment_id,
        OrderStatus::Created,
        OrderStatus::AwaitingPayment,
    )
}

async fn complete(State(book): State<Shared>, Json(it): Json<SettleOrder>) -> Response {
    step(
        &book,
        it.order_id,
        it.payment_id,
        OrderStatus::AwaitingPayment,
        OrderStatus::Complete,
    )
}

async fn fail(State(book): State<Shared>, Json(it): Json<SettleOrder>) -> Response {
    let answer = step(
        &book,
        it.order_id,
        it.payment_id,
        OrderStatus::AwaitingPayment,
        OrderStatus::Cancelled,
    );
    let mut book = book.lock().unwrap();
    if let Some(order) = book.orders.get_mut(&it.order_id)
        && order.state.status == OrderStatus::Cancelled
    {
        order.state.reason.get_or_insert(CancelReason::Failed);
    }
    answer
}

async fn refund(State(book): State<Shared>, Json(it): Json<RefundOrder>) -> Response {
    let answer = step(
        &book,
        it.order_id,
        it.payment_id,
        OrderStatus::Complete,
        OrderStatus::Refunded,
    );
    let mut book = book.lock().unwrap();
    if let Some(order) = book.orders.get_mut(&it.order_id)
        && order.state.status == OrderStatus::Refunded
    {
        order.state.relisted = it.relist;
    }
    answer
}
