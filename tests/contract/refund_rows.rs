//! Giving money back.

use bigtix_contracts::api::orders::Order;
use bigtix_contracts::{Cents, ErrorCode, OrderId};
use bigtix_testkit::eventually;
use bigtix_tests::stripe::look_up;
use bigtix_tests::suite::Scenario;
use bigtix_tests::world::PASSWORD;
use bigtix_tests::{Ask, Person, World, scenarios};
use serde_json::json;

use crate::ADMINISTRATOR;

pub(crate) const ALL: &[(&str, Scenario)] = scenarios![
    the_seller_refunds_and_keeps_the_ticket,
    a_refunded_ticket_is_relisted_when_asked_for,
    an_administrator_refunds_and_others_do_not,
    only_a_complete_order_is_refunded,
    a_refund_is_made_once,
];

fn refund(world: &World, order: OrderId) -> Ask {
    world.post(&format!("/api/payments/{order}/refund"))
}

async fn bought(world: &World) -> (Person, Person, Order, String) {
    let (seller, buyer) = world.two_people().await;
    let ticket = seller.lists(Cents(2000)).await;
    let (order, payment) = buyer.buys(world, ticket.id).await;
    (seller, buyer, order, payment.stripe_id.expect("Stripe's id"))
}

async fn the_seller_refunds_and_keeps_the_ticket(world: World) {
    let (seller, buyer, order, intent) = bought(&world).await;
    let refunded = refund(&world, order.id).by(&seller).await.is(201);
    assert_eq!(
        (refunded.string("/status"), &refunded.json["success"]),
        ("refunded".into(), &json!(false))
    );
    let shown = buyer.client.order(order.id).await.expect("the order");
    assert_eq!(json!(shown.status), "refunded");
    let old = world
        .get(&format!("/api/orders/get-order/{}", order.id))
        .by(&buyer)
        .await;
    assert_eq!(old.is(200).string("/status"), "refunded");
    assert_eq!(look_up(world.shop(), &intent).await.refunded, Cents(2000));
    let place = world
        .post("/api/orders")
        .by(&buyer)
        .json(json!({"ticketId": order.ticket.id}));
    place.await.refuses(400, "Ticket is already reserved");
    let edit = world
        .patch(&format!("/api/tickets/{}", order.ticket.id))
        .by(&seller)
        .json(json!({"price": 5}));
    edit.await.refuses(400, "Cannot edit a reserved ticket");
}

async fn a_refunded_ticket_is_relisted_when_asked_for(world: World) {
    let (seller, buyer, order, _) = bought(&world).await;
    let ask = refund(&world, order.id)
        .by(&seller)
        .json(json!({"relist": "yes"}));
    ask.await.refuses_field("relist");
    let ask = refund(&world, order.id).by(&seller).json(json!({"relist": true}));
    assert_eq!(ask.await.is(201).string("/status"), "refunded");
    buyer.reserves(order.ticket.id).await;
    let path = format!("/api/tickets/{}", order.ticket.id);
    eventually("the ticket is reserved again", async || {
        (world.get(&path).await.is(200).string("/status") == "reserved").then_some(())
    })
    .await;
}

async fn an_administrator_refunds_and_others_do_not(world: World) {
    let (one, two) = world.two_people().await;
    let buyer = world.person().await;
    let tickets = [one.lists(Cents(1000)).await.id, two.lists(Cents(1000)).await.id];
    let wish = bigtix_client::NewOrder::tickets(tickets);
    let order = buyer.client.place_order(&wish).await.expect("an order");
    let card = world.good_card().await;
    buyer.client.pay(order.id, &card).await.expect("a payment");
    refund(&world, order.id).await.refuses(401, "Not authorized");
    // One of two sellers is not every seller, and a buyer is none.
    for who in [&one, &two, &buyer] {
        refund(&world, order.id)
            .by(who)
            .await
            .refuses(401, "Not authorized");
    }
    // Somebody of another scenario may have signed this one up before.
    let _ = world.client().sign_up(ADMINISTRATOR, PASSWORD).await;
    let office = world.client().sign_in(ADMINISTRATOR, PASSWORD).await;
    let token = office.expect("the administrator's session").token;
    let refunded = world
        .client()
        .signed_in(token)
        .refund(order.id, false)
        .await
        .expect("a refund");
    assert_eq!(json!(refunded.status), "refunded");
}

async fn only_a_complete_order_is_refunded(world: World) {
    let (seller, buyer) = world.two_people().await;
    let ticket = seller.lists(Cents(2000)).await;
    let order = buyer.reserves(ticket.id).await;
    let refusal = refund(&world, order.id)
        .by(&seller)
        .await
        .refuses(400, "Only a complete order can be refunded");
    refusal.with_code(ErrorCode::OrderNotRefundable);
    let unknown: OrderId = "64b0c0ffee0000000000beef".parse().expect("an id");
    refund(&world, unknown)
        .by(&seller)
        .await
        .refuses(404, "Order not found");
}

async fn a_refund_is_made_once(world: World) {
    let (seller, _, order, intent) = bought(&world).await;
    let ask = || refund(&world, order.id).by(&seller).key("once");
    let first = ask().await.is(201);
    let again = ask().await.is(201);
    assert_eq!(first.string("/id"), again.string("/id"));
    let without_key = refund(&world, order.id).by(&seller).await;
    without_key.refuses(400, "Only a complete order can be refunded");
    assert_eq!(look_up(world.shop(), &intent).await.refunded, Cents(2000));
}
