//! The service is killed between any two steps; another instance finishes what it began.

use bigtix_contracts::OrderId;
use bigtix_contracts::events::OrderStatus;
use bigtix_contracts::internal::paths;
use bigtix_testkit::eventually;
use bigtix_testkit::stripe::{Fault, Operation, RequestTrouble};

use crate::orders::Trouble;
use crate::world::{Instance, World};

/// Pays at an instance that is killed as soon as `reached` says so.
async fn pay_and_kill(
    world: &World,
    service: Instance,
    order: OrderId,
    reached: impl AsyncFnMut() -> Option<()>,
) {
    let request = world.paying(&service, order, "tok_visa");
    let paying = tokio::spawn(async move { request.send().await.is_ok() });
    eventually("the moment to kill the service", reached).await;
    service.kill();
    assert!(!paying.await.unwrap(), "the request dies with the service");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_stripe_works_on_the_first_call() {
    for trouble in [
        RequestTrouble::TimeoutBefore,
        RequestTrouble::TimeoutAfter,
        RequestTrouble::Slow,
    ] {
        let (world, service) = World::running().await;
        let order = world.order();
        world.stripe.plan(Fault::request(Operation::Create, trouble));
        pay_and_kill(&world, service, order, async || {
            world.stripe.planned().is_empty().then_some(())
        })
        .await;
        let next = world.start().await;
        world.until(&next, order, "succeeded").await;
        assert_eq!(world.orders.status(order), OrderStatus::Complete);
        world.assert_paid_once(order);
        assert_eq!(world.ledger(order).len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_the_money_is_captured() {
    for trouble in [RequestTrouble::TimeoutBefore, RequestTrouble::TimeoutAfter] {
        let (world, service) = World::running().await;
        let order = world.order();
        world.stripe.plan(Fault::request(Operation::Capture, trouble));
        pay_and_kill(&world, service, order, async || {
            world.stripe.planned().is_empty().then_some(())
        })
        .await;
        assert_eq!(world.orders.status(order), OrderStatus::AwaitingPayment);
        let next = world.start().await;
        world.until(&next, order, "succeeded").await;
        world.assert_paid_once(order);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_orders_is_asked() {
    for path in [paths::CONFIRM, paths::COMPLETE] {
        for trouble in [Trouble::SwallowBefore, Trouble::SwallowAfter] {
            let (world, service) = World::running().await;
            let order = world.order();
            world.orders.cause(path, trouble);
            pay_and_kill(&world, service, order, async || {
                (world.orders.calls(path) > 0).then_some(())
            })
            .await;
            world.orders.calm();
            let next = world.start().await;
            world.until(&next, order, "succeeded").await;
            assert_eq!(world.orders.status(order), OrderStatus::Complete);
            world.assert_paid_once(order);
            assert_eq!(world.ledger(order).len(), 1);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_a_hold_is_released() {
    let (world, service) = World::running().await;
    let order = world.order();
    world.orders.cause(paths::CONFIRM, Trouble::ExpireBefore);
    world
        .stripe
        .plan(Fault::request(Operation::Cancel, RequestTrouble::TimeoutBefore));
    pay_and_kill(&world, service, order, async || {
        world.stripe.planned().is_empty().then_some(())
    })
    .await;
    let next = world.start().await;
    world.until(&next, order, "cancelled").await;
    world.assert_nothing_taken(order);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_money_goes_back() {
    for trouble in [RequestTrouble::TimeoutBefore, RequestTrouble::TimeoutAfter] {
        let (world, service) = World::running().await;
        let order = world.order();
        world.pay(&service, order, "tok_visa").await.expect(201);
        world.stripe.plan(Fault::request(Operation::Refund, trouble));
        let request = world.post(&service, &format!("/api/payments/{order}/refund"), world.seller);
        let refunding = tokio::spawn(async move { request.send().await.is_ok() });
        eventually("Stripe is asked", async || {
            world.stripe.planned().is_empty().then_some(())
        })
        .await;
        service.kill();
        assert!(!refunding.await.unwrap());
        let next = world.start().await;
        world.until(&next, order, "refunded").await;
        assert_eq!(world.orders.status(order), OrderStatus::Refunded);
        let entries = world.ledger(order);
        assert_eq!((entries[0].refunds, entries[0].kept()), (1, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_instances_finish_it_once() {
    let (world, service) = World::running().await;
    let order = world.order();
    world.orders.cause(paths::COMPLETE, Trouble::SwallowBefore);
    pay_and_kill(&world, service, order, async || {
        (world.orders.calls(paths::COMPLETE) > 0).then_some(())
    })
    .await;
    world.orders.calm();
    let (one, _two) = (world.start().await, world.start().await);
    world.until(&one, order, "succeeded").await;
    world.assert_paid_once(order);
}
