//! Reservations that run out.

use bigtix_contracts::{Cents, ErrorCode};
use bigtix_testkit::eventually;
use bigtix_tests::suite::Scenario;
use bigtix_tests::{World, scenarios};
use serde_json::json;

pub(crate) const ALL: &[(&str, Scenario)] = scenarios![
    an_overdue_order_reads_as_expired_everywhere,
    a_ticket_is_free_the_moment_its_reservation_is_over,
    an_expired_order_cannot_be_paid,
    an_expired_order_is_on_the_bus_within_moments,
];

/// Looks until the order is not `created` any more, and returns what it was then.
pub(crate) async fn until_expired(
    world: &World,
    buyer: &bigtix_tests::Person,
    order: bigtix_contracts::OrderId,
) -> bigtix_tests::Answer {
    let path = format!("/api/orders/{order}");
    eventually("the order to expire", async || {
        let shown = world.get(&path).by(buyer).await.is(200);
        (shown.string("/status") != "created").then_some(shown)
    })
    .await
}

async fn an_overdue_order_reads_as_expired_everywhere(world: World) {
    let (seller, buyer) = world.two_people().await;
    let ticket = seller.lists(Cents(2000)).await;
    let order = buyer.reserves(ticket.id).await;
    let seconds = order.expires_at.duration_since(order.created_at).as_secs_f64();
    assert!((1.9..=2.1).contains(&seconds), "{seconds}");
    let shown = until_expired(&world, &buyer, order.id).await;
    assert_eq!(
        (shown.string("/status"), shown.string("/reason")),
        ("cancelled".into(), "expired".into())
    );
    let get = |path: &str| world.get(&format!("/api/orders{path}")).by(&buyer);
    assert_eq!(get("").await.is(200).string("/0/status"), "cancelled");
    assert_eq!(get("/all").await.is(200).string("/0/status"), "expired");
    let old = get(&format!("/get-order/{}", order.id)).await.is(200);
    assert_eq!(old.string("/status"), "expired");
    let safe = get(&format!("/get-order-safe-details/{}", order.id))
        .await
        .is(200);
    assert_ne!(safe.string("/status"), "created");
    // Cancelling what is cancelled already is no error.
    world
        .delete(&format!("/api/orders/{}", order.id))
        .by(&buyer)
        .await
        .is(204);
}

async fn a_ticket_is_free_the_moment_its_reservation_is_over(world: World) {
    let (seller, buyer) = world.two_people().await;
    let late = world.person().await;
    let ticket = seller.lists(Cents(2000)).await;
    let order = buyer.reserves(ticket.id).await;
    let want = json!({"ticketId": ticket.id});
    let got = eventually("the ticket to be free", async || {
        let answer = world.post("/api/orders").by(&late).json(want.clone()).await;
        if answer.status != 201 {
            answer.refuses(400, "Ticket is already reserved");
            return None;
        }
        Some(answer)
    })
    .await;
    let placed: jiff::Timestamp = got.string("/createdAt").parse().expect("a time");
    assert!(
        placed >= order.expires_at,
        "reserved at {placed}, before {} was over",
        order.expires_at
    );
    let waited = placed.duration_since(order.expires_at).as_secs_f64();
    assert!(waited < 2.0, "free only {waited} s after its time");
}

async fn an_expired_order_cannot_be_paid(world: World) {
    let (seller, buyer) = world.two_people().await;
    let ticket = seller.lists(Cents(2000)).await;
    let order = buyer.reserves(ticket.id).await;
    until_expired(&world, &buyer, order.id).await;
    let card = world.good_card().await;
    let pay = world
        .post("/api/payments")
        .by(&buyer)
        .json(json!({"token": card, "orderId": order.id}));
    let refusal = pay.await.refuses(400, "Order has expired");
    refusal.with_code(ErrorCode::OrderExpired);
}

/// Nobody asks for the order here: the list of what is on sale comes from events alone.
async fn an_expired_order_is_on_the_bus_within_moments(world: World) {
    let (seller, buyer) = world.two_people().await;
    let ticket = seller.lists(Cents(2000)).await;
    let path = format!("/api/tickets/{}", ticket.id);
    buyer.reserves(ticket.id).await;
    for status in ["reserved", "available"] {
        eventually(&format!("the ticket to be shown as {status}"), async || {
            (world.get(&path).await.is(200).string("/status") == status).then_some(())
        })
        .await;
    }
}
