//! Paying for orders.

use bigtix_contracts::{Cents, ErrorCode, OrderId};
use bigtix_testkit::eventually;
use bigtix_tests::stripe::{Card, answer_the_bank, card_token, look_up, payment_method};
use bigtix_tests::suite::Scenario;
use bigtix_tests::{Answer, Person, World, scenarios};
use futures::future::join_all;
use serde_json::{Value, json};

pub(crate) const ALL: &[(&str, Scenario)] = scenarios![
    a_payment_completes_the_order,
    a_payment_method_pays_too,
    a_payment_says_what_it_pays_for,
    a_declined_card_leaves_the_order_payable,
    an_order_is_paid_once,
    payments_at_the_same_moment_charge_once,
    a_cancelled_order_cannot_be_paid,
    only_the_buyer_pays,
    the_latest_payment_is_shown,
    the_bank_may_ask_the_buyer_first,
    a_buyer_may_say_no_to_the_bank,
    the_old_path_wants_the_amount,
];

async fn order_of(world: &World, price: i64) -> (Person, OrderId) {
    let (seller, buyer) = world.two_people().await;
    let ticket = seller.lists(Cents(price)).await;
    let order = buyer.reserves(ticket.id).await;
    (buyer, order.id)
}

async fn pay(world: &World, buyer: &Person, order: OrderId, token: &str) -> Answer {
    let body = json!({"token": token, "orderId": order});
    world.post("/api/payments").by(buyer).json(body).await
}

async fn a_payment_completes_the_order(world: World) {
    let (buyer, order) = order_of(&world, 19_99).await;
    let token = card_token(world.shop(), Card::Good).await;
    let paid = pay(&world, &buyer, order, &token).await.is(201);
    paid.has_exactly(&[
        "id",
        "orderId",
        "stripeId",
        "amount",
        "status",
        "success",
        "createdAt",
        "version",
    ]);
    assert_eq!(paid.string("/orderId"), order.to_string());
    assert_eq!(
        (paid.string("/status"), &paid.json["success"]),
        ("succeeded".into(), &json!(true))
    );
    assert_eq!(paid.json["amount"], json!(19.99));
    let shown = buyer.client.order(order).await.expect("the order");
    assert_eq!(json!(shown.status), "complete");
    let charged = look_up(world.shop(), &paid.string("/stripeId")).await;
    assert_eq!(
        (charged.status.as_str(), charged.amount, charged.refunded),
        ("succeeded", Cents(1999), Cents(0))
    );
    let ticket = format!("/api/tickets/{}", shown.ticket.id);
    eventually("the ticket is sold", async || {
        (world.get(&ticket).await.is(200).string("/status") == "sold").then_some(())
    })
    .await;
}

async fn a_payment_method_pays_too(world: World) {
    let (buyer, order) = order_of(&world, 2000).await;
    let method = payment_method(world.shop(), Card::Good).await;
    let paid = pay(&world, &buyer, order, &method).await.is(201);
    assert_eq!(paid.string("/status"), "succeeded");
}

async fn a_payment_says_what_it_pays_for(world: World) {
    let (buyer, order) = order_of(&world, 2000).await;
    let post = |body: Value| world.post("/api/payments").by(&buyer).json(body);
    post(json!({"orderId": order}))
        .await
        .refuses(400, "Token is required")
        .about("token");
    post(json!({"token": "", "orderId": order}))
        .await
        .refuses(400, "Token is required");
    post(json!({"token": "tok_visa"}))
        .await
        .refuses(400, "Order id is required")
        .about("orderId");
    let both = post(json!({})).await;
    both.clone().refuses(400, "Token is required");
    both.refuses(400, "Order id is required");
    post(json!({"token": "tok_visa", "orderId": "x"}))
        .await
        .refuses_field("orderId");
    post(json!({"token": "4242424242424242", "orderId": order}))
        .await
        .refuses_field("token");
    post(json!({"token": "tok_visa", "orderId": "64b0c0ffee0000000000beef"}))
        .await
        .refuses(404, "Order not found");
}

async fn a_declined_card_leaves_the_order_payable(world: World) {
    let (buyer, order) = order_of(&world, 2000).await;
    for _ in 0..2 {
        let bad = card_token(world.shop(), Card::Declined).await;
        let refused = pay(&world, &buyer, order, &bad).await.is(402);
        let problem = refused.problem();
        assert_eq!(problem.code, ErrorCode::CardDeclined);
        assert!(
            problem.message.contains("declined"),
            "Stripe's own words in {refused}"
        );
        let shown = buyer.client.order(order).await.expect("the order");
        assert_eq!(json!(shown.status), "created");
    }
    let good = card_token(world.shop(), Card::Good).await;
    let paid = pay(&world, &buyer, order, &good).await.is(201);
    assert_eq!(paid.string("/status"), "succeeded");
}

async fn an_order_is_paid_once(world: World) {
    let (buyer, order) = order_of(&world, 2000).await;
    for status in [201, 400, 400] {
        let token = card_token(world.shop(), Card::Good).await;
        let answer = pay(&world, &buyer, order, &token).await.is(status);
        if status == 400 {
            answer
                .refuses(400, "Order is already complete")
                .with_code(ErrorCode::OrderComplete);
        }
    }
}

async fn payments_at_the_same_moment_charge_once(world: World) {
    let (buyer, order) = order_of(&world, 2000).await;
    let tokens = join_all((0..5).map(|_| card_token(world.shop(), Card::Good))).await;
    let answers = join_all(tokens.iter().map(|token| pay(&world, &buyer, order, token))).await;
    let mut charged = std::collections::BTreeSet::new();
    for answer in answers {
        match answer.status {
            201 => {
                charged.insert(answer.string("/stripeId"));
            }
            _ => {
                answer.refuses(400, "Order is already complete");
            }
        }
    }
    assert_eq!(charged.len(), 1);
}

async fn a_cancelled_order_cannot_be_paid(world: World) {
    let (buyer, order) = order_of(&world, 2000).await;
    buyer.client.cancel_order(order).await.expect("a cancellation");
    let token = card_token(world.shop(), Card::Good).await;
    let refusal = pay(&world, &buyer, order, &token)
        .await
        .refuses(400, "Cannot pay for a cancelled order");
    refusal.with_code(ErrorCode::OrderCancelled);
}

async fn only_the_buyer_pays(world: World) {
    let (_, order) = order_of(&world, 2000).await;
    let stranger = world.person().await;
    let token = card_token(world.shop(), Card::Good).await;
    pay(&world, &stranger, order, &token)
        .await
        .refuses(401, "Not authorized");
    for ask in [
        world.get(&format!("/api/payments/{order}")),
        world.post(&format!("/api/payments/{order}/continue")),
    ] {
        ask.by(&stranger).await.refuses(401, "Not authorized");
    }
}

async fn the_latest_payment_is_shown(world: World) {
    let (buyer, order) = order_of(&world, 2000).await;
    let get = || world.get(&format!("/api/payments/{order}")).by(&buyer);
    get().await.refuses(404, "Payment not found");
    let bad = card_token(world.shop(), Card::Declined).await;
    pay(&world, &buyer, order, &bad).await.is(402);
    let failed = get().await.is(200);
    assert_eq!(
        (failed.string("/status"), &failed.json["success"]),
        ("failed".into(), &json!(false))
    );
    let good = card_token(world.shop(), Card::Good).await;
    let paid = pay(&world, &buyer, order, &good).await.is(201);
    let shown = get().await.is(200);
    assert_eq!(shown.string("/id"), paid.string("/id"));
    assert_eq!(shown.string("/status"), "succeeded");
    let unknown = world.get("/api/payments/64b0c0ffee0000000000beef").by(&buyer);
    unknown.await.refuses(404, "Order not found");
}

async fn the_bank_may_ask_the_buyer_first(world: World) {
    let (buyer, order) = order_of(&world, 2000).await;
    let token = payment_method(world.shop(), Card::Asks).await;
    let asked = pay(&world, &buyer, order, &token).await.is(201);
    assert_eq!(
        (asked.string("/status"), &asked.json["success"]),
        ("requires_action".into(), &json!(false))
    );
    let shown = buyer.client.order(order).await.expect("the order");
    assert_eq!(json!(shown.status), "created");
    let secret = asked.string("/clientSecret");
    answer_the_bank(world.shop(), &secret, true).await.is(200);
    let go_on = world.post(&format!("/api/payments/{order}/continue")).by(&buyer);
    let paid = go_on.await.is(201);
    assert_eq!(paid.string("/status"), "succeeded");
    assert!(paid.json.get("clientSecret").is_none(), "{paid}");
    let shown = buyer.client.order(order).await.expect("the order");
    assert_eq!(json!(shown.status), "complete");
}

async fn a_buyer_may_say_no_to_the_bank(world: World) {
    let (buyer, order) = order_of(&world, 2000).await;
    let token = payment_method(world.shop(), Card::Asks).await;
    let asked = pay(&world, &buyer, order, &token).await.is(201);
    answer_the_bank(world.shop(), &asked.string("/clientSecret"), false)
        .await
        .is(200);
    let go_on = world.post(&format!("/api/payments/{order}/continue")).by(&buyer);
    let refused = go_on.await.is(402);
    assert_eq!(refused.problem().code, ErrorCode::CardDeclined);
    let good = card_token(world.shop(), Card::Good).await;
    pay(&world, &buyer, order, &good).await.is(201);
}

async fn the_old_path_wants_the_amount(world: World) {
    let (buyer, order) = order_of(&world, 20_50).await;
    let token = card_token(world.shop(), Card::Good).await;
    let post = |body: Value| world.post("/api/payments/new").json(body);
    let complete = |amount: Value| json!({"orderId": order, "amount": amount, "confirmationTokenId": token});
    // The body is validated first.
    for field in ["orderId", "amount", "confirmationTokenId"] {
        post(json!({})).await.refuses_field(field);
    }
    post(complete(json!(20.5))).await.refuses(401, "Not authorized");
    let refusal = post(complete(json!(20)))
        .by(&buyer)
        .await
        .refuses(400, "Payment amount does not match order amount");
    refusal.with_code(ErrorCode::AmountMismatch);
    let paid = post(complete(json!("20.50"))).by(&buyer).await.is(201);
    paid.has_exactly(&["status", "clientSecret"]);
    assert_eq!(paid.json, json!({"status": "succeeded", "clientSecret": null}));
}
