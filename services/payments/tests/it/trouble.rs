//! Stripe and the orders service when they are slow, silent or broken.

use std::time::Duration;

use bigtix_contracts::events::{CancelReason, OrderStatus};
use bigtix_contracts::internal::paths;
use bigtix_service::StartError;
use bigtix_testkit::eventually;
use bigtix_testkit::stripe::{Fault, Operation, Options, RequestTrouble, StripeDouble};
use tokio::net::TcpListener;

use crate::orders::Trouble;
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_to_one_request_the_order_is_paid_once() {
    let (world, service) = World::running().await;
    for operation in [Operation::Create, Operation::Capture] {
        for trouble in [
            RequestTrouble::TimeoutBefore,
            RequestTrouble::TimeoutAfter,
            RequestTrouble::ErrorBefore,
            RequestTrouble::ErrorAfter,
            RequestTrouble::RateLimited,
            RequestTrouble::Slow,
        ] {
            let order = world.order();
            world.stripe.plan(Fault::request(operation, trouble));
            let paid = world.pay(&service, order, "tok_visa").await;
            assert_eq!(
                paid.status.as_u16(),
                201,
                "{operation:?} {trouble:?}: {:#}",
                paid.body
            );
            assert_eq!(world.orders.status(order), OrderStatus::Complete);
            world.assert_paid_once(order);
            assert_eq!(world.ledger(order).len(), 1, "{operation:?} {trouble:?}");
        }
    }
    assert!(world.stripe.planned().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_again_and_again_is_found_by_looking() {
    let (world, service) = World::running().await;
    let order = world.order();
    world
        .stripe
        .plan(Fault::request(Operation::Create, RequestTrouble::TimeoutAfter).times(3));
    world
        .stripe
        .plan(Fault::request(Operation::Capture, RequestTrouble::ErrorAfter));
    world
        .stripe
        .plan(Fault::request(Operation::Retrieve, RequestTrouble::TimeoutBefore).times(2));
    world.pay(&service, order, "tok_visa").await.expect(201);
    world.assert_paid_once(order);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_is_not_settled_in_time_is_settled_by_itself() {
    let mut world = World::new().await;
    world.set("PAYMENT_PATIENCE_MILLISECONDS", "700");
    let service = world.start().await;
    let order = world.order();
    world
        .stripe
        .plan(Fault::request(Operation::Create, RequestTrouble::TimeoutAfter));
    world
        .stripe
        .plan(Fault::request(Operation::List, RequestTrouble::TimeoutBefore).times(2));
    let unknown = world.pay(&service, order, "tok_visa").await.expect(503);
    assert_eq!(unknown.code(), "outcome_unknown");
    assert_eq!(
        world
            .get(&service, order, world.buyer)
            .await
            .expect(200)
            .text("status"),
        "processing"
    );
    world.until(&service, order, "succeeded").await;
    world.assert_paid_once(order);
}

/// Under the same key Stripe would answer with the same error for a day.
#[tokio::test(flavor = "multi_thread")]
async fn an_error_that_stripe_keeps_does_not_keep_the_money() {
    let (world, service) = World::running().await;
    let stored = |operation| Fault::request(operation, RequestTrouble::ErrorBeforeStored);
    let (taken, voided) = (world.order(), world.order());
    world.stripe.plan(stored(Operation::Capture));
    world.pay(&service, taken, "tok_visa").await.expect(201);
    world.assert_paid_once(taken);
    world.stripe.plan(stored(Operation::Cancel));
    world.orders.cause(paths::CONFIRM, Trouble::ExpireBefore);
    world.pay(&service, voided, "tok_visa").await.expect(400);
    world.assert_nothing_taken(voided);
    assert!(world.stripe.planned().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_stripe_ended_without_a_trace_is_given_up() {
    let (world, service) = World::running().await;
    let order = world.order();
    world.stripe.plan(Fault::request(
        Operation::Create,
        RequestTrouble::ErrorBeforeStored,
    ));
    let pay = || {
        let request = world.paying(&service, order, "tok_visa");
        world.send(request.header("idempotency-key", "once"))
    };
    let failed = pay().await.expect(503);
    assert_eq!(failed.code(), "unavailable");
    assert_eq!(
        world
            .get(&service, order, world.buyer)
            .await
            .expect(200)
            .text("status"),
        "failed"
    );
    // What came to nothing for good is begun anew under the same key.
    pay().await.expect(201);
    world.assert_paid_once(order);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_that_takes_its_time_is_waited_for() {
    let (world, service) = World::running().await;
    let order = world.order();
    let paying = async { world.pay(&service, order, "tok_visa_processing").await };
    let settling = async {
        let intent = eventually("an intent", async || {
            world.ledger(order).first().map(|entry| entry.id.clone())
        })
        .await;
        world.stripe.settle(&intent, true).unwrap();
    };
    let (paid, ()) = tokio::join!(paying, settling);
    assert_eq!(paid.expect(201).text("status"), "succeeded");
    world.assert_paid_once(order);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_orders_is_away_nothing_is_begun_and_what_was_begun_goes_on_later() {
    let (world, service) = World::running().await;
    let order = world.order();
    world.orders.cause(paths::READ_ORDER, Trouble::Away);
    assert_eq!(
        world.pay(&service, order, "tok_visa").await.expect(503).code(),
        "unavailable"
    );
    assert!(world.stripe.ledger().intents.is_empty());
    world.orders.calm();
    for path in [paths::CONFIRM, paths::COMPLETE] {
        let order = world.order();
        world.orders.cause(path, Trouble::Away);
        let paying = async { world.pay(&service, order, "tok_visa").await };
        let calming = async {
            let asked = world.orders.calls(path);
            eventually("orders was asked in vain", async || {
                (world.orders.calls(path) > asked + 3).then_some(())
            })
            .await;
            world.orders.calm();
        };
        let (paid, ()) = tokio::join!(paying, calming);
        paid.expect(201);
        world.assert_paid_once(order);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_orders_that_is_lost_is_asked_for_again() {
    let (world, service) = World::running().await;
    for path in [paths::CONFIRM, paths::COMPLETE] {
        let order = world.order();
        world.orders.cause(path, Trouble::SwallowAfter);
        let paying = async { world.pay(&service, order, "tok_visa").await };
        let calming = async {
            let asked = world.orders.calls(path);
            eventually("orders was asked", async || {
                (world.orders.calls(path) > asked).then_some(())
            })
            .await;
            world.orders.calm();
        };
        let (paid, ()) = tokio::join!(paying, calming);
        paid.expect(201);
        world.assert_paid_once(order);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_that_lapses_before_the_capture_fails_the_order() {
    let (world, service) = World::running().await;
    let order = world.order();
    let fault =
        Fault::request(Operation::Capture, RequestTrouble::TimeoutBefore).lasting(Duration::from_millis(900));
    world.stripe.plan(fault);
    let paying = async { world.pay(&service, order, "tok_visa").await };
    let lapsing = async {
        eventually("the order is confirmed", async || {
            (world.orders.status(order) == OrderStatus::AwaitingPayment).then_some(())
        })
        .await;
        world.stripe.lapse(&world.ledger(order)[0].id).unwrap();
    };
    let (failed, ()) = tokio::join!(paying, lapsing);
    failed.expect(402);
    let state = world.orders.order(order);
    assert_eq!(
        (state.status, state.reason),
        (OrderStatus::Cancelled, Some(CancelReason::Failed))
    );
    world.assert_nothing_taken(order);
    assert_eq!(
        world.pay(&service, order, "tok_visa").await.expect(400).code(),
        "order_cancelled"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_can_be_told_what_goes_wrong() {
    let (world, service) = World::running().await;
    let (lost, voided) = (world.order(), world.order());
    world
        .pay(&service, lost, "tok_visa_fault_capture_timeout_after")
        .await
        .expect(201);
    world.assert_paid_once(lost);
    world.orders.cause(paths::CONFIRM, Trouble::ExpireBefore);
    world
        .pay(&service, voided, "tok_visa_fault_cancel_timeout_after")
        .await
        .expect(400);
    world.assert_nothing_taken(voided);
}

/// A key that Stripe does not know is noticed at the start, and not by the first buyer.
#[tokio::test]
async fn a_key_that_stripe_refuses_ends_the_start() {
    let mut world = World::new().await;
    world.set("STRIPE_SECRET_KEY", "sk_test_of_somebody_else");
    let Err(error) = world.prepare().await else {
        panic!("it starts with a wrong key");
    };
    assert!(matches!(error, StartError::Refused { .. }), "{error}");
    let said = error.to_string();
    assert!(
        said.contains("STRIPE_SECRET_KEY") && !said.contains("of_somebody_else"),
        "{said}"
    );
}

/// Whoever has just been started may have no way to Stripe for a moment.
#[tokio::test]
async fn a_key_is_judged_as_soon_as_stripe_answers() {
    let mut world = World::new().await;
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = nobody.local_addr().unwrap();
    world.set("STRIPE_API_URL", &format!("http://{address}"));
    world.set("STRIPE_SECRET_KEY", "sk_test_of_somebody_else");
    let comes_later = async {
        let asked = nobody.accept().await.unwrap();
        drop((asked, nobody));
        let options = Options {
            address,
            ..Options::default()
        };
        StripeDouble::start(options).await.unwrap()
    };
    let (started, _stripe) = tokio::join!(world.prepare(), comes_later);
    assert!(matches!(started, Err(StartError::Refused { .. })));
}

/// That Stripe is away is no reason not to start: orders can be looked at, and payments are continued later.
#[tokio::test]
async fn a_stripe_that_is_away_keeps_nobody_from_starting() {
    let mut world = World::new().await;
    world.set("STRIPE_API_URL", "http://127.0.0.1:9");
    assert!(world.prepare().await.is_ok());
}
