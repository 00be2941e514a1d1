//! What scripts ask while a page is open: what is free, and how an order stands.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::sse::{Event as Message, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use bigtix_contracts::{EventId, OrderId};
use futures::stream::{self, StreamExt};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::states::State as OrderState;
use super::{Id, order};
use crate::App;
use crate::cart;
use crate::failure::{Failure, Sought};
use crate::live::Availability;
use crate::reads::Free;
use crate::session::Visitor;

/// How long one stream lasts. Browsers come again by themselves, and a service that stops waits for no stream longer.
const STREAM: Duration = Duration::from_secs(20);
const HEARTBEAT: Duration = Duration::from_secs(10);
/// After how many milliseconds a browser comes again.
const COME_AGAIN: Duration = Duration::from_millis(500);
/// Tells proxies that buffer answers not to.
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

fn describe(event: EventId, free: &Free, is_stale: bool) -> Value {
    let ids: Vec<_> = free.tickets.iter().map(|ticket| ticket.id).collect();
    let prices: Vec<i64> = free
        .tickets
        .iter()
        .take(cart::MOST)
        .map(|ticket| ticket.price.0.0)
        .collect();
    json!({
        "eventId": event,
        "free": ids.len(),
        "isAll": free.is_all,
        "tickets": ids,
        "prices": prices,
        "stale": is_stale,
        "now": Timestamp::now(),
    })
}

/// `GET /events/{id}/availability`.
pub(crate) async fn availability(
    State(app): State<Arc<App>>,
    Id(id): Id<EventId>,
) -> Result<Json<Value>, Failure> {
    let free = app.reads.free(id).await;
    let free = free.map_err(|error| Failure::reading(&error, Sought::Event))?;
    Ok(Json(describe(id, &free, false)))
}

/// `GET /events/{id}/live`: server-sent events, the state first and then each change of it.
pub(crate) async fn live(State(app): State<Arc<App>>, Id(id): Id<EventId>) -> Result<Response, Failure> {
    let free = app.reads.free(id).await;
    let free = free.map_err(|error| Failure::reading(&error, Sought::Event))?;
    let mut watched = app.live.watch(id, free);
    watched.mark_changed();
    let until = Instant::now() + STREAM;
    let changes = stream::unfold(watched, move |mut watched| async move {
        match tokio::time::timeout_at(until, watched.changed()).await {
            Ok(Ok(())) => {
                let Availability { free, is_stale } = watched.borrow_and_update().clone();
                let message = Message::default()
                    .retry(COME_AGAIN)
                    .data(describe(id, &free, is_stale).to_string());
                Some((Ok::<_, Infallible>(message), watched))
            }
            // The poller ended, or the stream is old enough.
            Ok(Err(_)) | Err(_) => None,
        }
    });
    let stream = Sse::new(changes.boxed()).keep_alive(KeepAlive::new().interval(HEARTBEAT));
    let mut response = stream.into_response();
    let headers = response.headers_mut();
    headers.insert(BUFFERING, HeaderValue::from_static("no"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// `GET /orders/{id}/state`.
pub(crate) async fn order_state(
    State(_): State<Arc<App>>,
    visitor: Visitor,
    Id(id): Id<OrderId>,
) -> Result<Json<Value>, Failure> {
    visitor.require()?;
    let (order, payment) = order::read(&visitor, id).await?;
    Ok(Json(json!({
        "id": id,
        "state": OrderState::of(&order, payment.as_ref()).word(),
        "status": order.status,
        "expiresAt": order.expires_at,
        "now": Timestamp::now(),
    })))
}
