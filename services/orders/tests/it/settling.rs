//! What payments does to orders, and when.

use bigtix_contracts::PaymentId;
use bigtix_contracts::internal::{ConfirmOrder, ConfirmOutcome, RefundOrder, SettleOrder, paths};
use bigtix_service::mongo::new_id;
use reqwest::Method;
use serde_json::json;

use crate::shop::{CONFIRM, Shop, message, order_id};

fn payment() -> PaymentId {
    PaymentId::from_bytes(new_id())
}

fn is_done(outcome: &ConfirmOutcome) -> bool {
    matches!(outcome, ConfirmOutcome::Done { .. })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmed_order_never_expires_and_belongs_to_one_payment() {
    let shop = Shop::open(1).await;
    let buyer = shop.person();
    let ticket = shop.catalogue.list(1000, None).state.id;
    let placed = shop.order(&buyer, json!({"ticketId": ticket})).await;
    let (order_id, payment_id) = (order_id(&placed), payment());
    let confirm = ConfirmOrder { order_id, payment_id };
    for _ in 0..2 {
        assert!(
            is_done(&shop.call(CONFIRM, &confirm).await),
            "confirming twice is confirming once"
        );
    }
    let rival = ConfirmOrder {
        order_id,
        payment_id: payment(),
    };
    assert!(!is_done(&shop.call(CONFIRM, &rival).await));
    let overdue = shop
        .order(&buyer, json!({"ticketId": shop.catalogue.list(1, None).state.id}))
        .await;
    assert_eq!(message(&overdue), (400, "Order total is too large"));
    // Another order runs out of time while the confirmed one stays.
    let other = shop
        .order(
            &buyer,
            json!({"ticketId": shop.catalogue.list(1000, None).state.id}),
        )
        .await;
    let other_id = other.1["id"].as_str().unwrap().to_owned();
    bigtix_testkit::eventually::eventually("the other order expires", async || {
        (shop.read(&buyer, &other_id).await.1["status"] == "cancelled").then_some(())
    })
    .await;
    assert_eq!(
        shop.read(&buyer, &order_id.to_string()).await.1["status"],
        "awaiting:payment"
    );
    let path = format!("/api/orders/{order_id}");
    let refused = shop.ask(&buyer, Method::DELETE, &path, None).await;
    assert_eq!(message(&refused), (400, "Order cannot be cancelled"));
    let settle = SettleOrder { order_id, payment_id };
    assert!(is_done(&shop.call(paths::COMPLETE, &settle).await));
    assert!(
        !is_done(&shop.call(paths::FAIL, &settle).await),
        "a complete order cannot fail"
    );
    assert_eq!(
        message(&shop.order(&buyer, json!({"ticketId": ticket})).await),
        (400, "Ticket is already reserved")
    );
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_order_cannot_be_confirmed() {
    let shop = Shop::open(1).await;
    let buyer = shop.person();
    let placed = shop
        .order(
            &buyer,
            json!({"ticketId": shop.catalogue.list(1000, None).state.id}),
        )
        .await;
    let order_id = order_id(&placed);
    bigtix_testkit::eventually::eventually("the order expires", async || {
        (shop.read(&buyer, &order_id.to_string()).await.1["status"] == "cancelled").then_some(())
    })
    .await;
    assert!(!is_done(
        &shop
            .call(
                CONFIRM,
                &ConfirmOrder {
                    order_id,
                    payment_id: payment()
                }
            )
            .await
    ));
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refunded_order_keeps_its_tickets_until_they_are_relisted() {
    let shop = Shop::open(900).await;
    let (buyer, other) = (shop.person(), shop.person());
    let ticket = json!({"ticketId": shop.catalogue.list(1000, None).state.id});
    let placed = shop.order(&buyer, ticket.clone()).await;
    let (order_id, payment_id) = (order_id(&placed), payment());
    assert!(is_done(
        &shop.call(CONFIRM, &ConfirmOrder { order_id, payment_id }).await
    ));
    let refund = |relist| RefundOrder {
        order_id,
        payment_id,
        relist,
    };
    assert!(
        !is_done(&shop.call(paths::REFUND, &refund(false)).await),
        "only a complete order can be refunded"
    );
    assert!(is_done(
        &shop
            .call(paths::COMPLETE, &SettleOrder { order_id, payment_id })
            .await
    ));
    assert!(is_done(&shop.call(paths::REFUND, &refund(false)).await));
    assert_eq!(
        message(&shop.order(&other, ticket.clone()).await),
        (400, "Ticket is already reserved")
    );
    assert!(is_done(&shop.call(paths::REFUND, &refund(true)).await));
    assert_eq!(shop.order(&other, ticket).await.0, 201);
    shop.close().await;
}
