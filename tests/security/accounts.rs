//! Who has an account, and what its password is.

use bigtix_contracts::ErrorCode;
use bigtix_tests::suite::Scenario;
use bigtix_tests::world::{PASSWORD, unique};
use bigtix_tests::{Answer, World, scenarios};
use serde_json::json;

pub(crate) const ALL: &[(&str, Scenario)] = scenarios![
    a_sign_in_does_not_tell_who_has_an_account,
    passwords_cannot_be_tried_out,
    an_order_and_its_payment_are_shown_to_their_buyer_alone,
];

/// Fewer than an email may fail with.
const GUESSES: usize = 8;

async fn guess(world: &World, email: &str, password: &str) -> Answer {
    let ask = world
        .post("/api/users/signin")
        .json(json!({"email": email, "password": password}));
    ask.await
}

async fn a_sign_in_does_not_tell_who_has_an_account(world: World) {
    let known = format!("{}@people.test", unique("known"));
    world.person_called(&known).await;
    let unknown = format!("{}@people.test", unique("unknown"));
    for _ in 0..GUESSES {
        let wrong = guess(&world, &known, "Not-the-1-it-is").await.is(400);
        let nobody = guess(&world, &unknown, "Not-the-1-it-is").await.is(400);
        assert_eq!(wrong.json, nobody.json);
        assert_eq!(wrong.json["message"], "Invalid credentials");
        let names = |answer: &Answer| {
            let mut names: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
            names.sort();
            names
        };
        assert_eq!(names(&wrong), names(&nobody));
    }
}

async fn passwords_cannot_be_tried_out(world: World) {
    let email = format!("{}@people.test", unique("guessed"));
    world.person_called(&email).await;
    let mut refused = None;
    for attempt in 0..12 {
        // Who asks is not who a header says it is.
        let ask = world
            .post("/api/users/signin")
            .header("x-forwarded-for", &format!("203.0.113.{attempt}"));
        let ask = ask.header("x-real-ip", &format!("203.0.113.{attempt}"));
        let answer = ask
            .json(json!({"email": email, "password": format!("Guess-{attempt}")}))
            .await;
        if answer.status == 429 {
            refused = Some((attempt, answer));
            break;
        }
        answer.is(400);
    }
    let (attempt, answer) = refused.expect("guessing is stopped");
    assert_eq!(attempt, 10, "{answer}");
    assert_eq!(answer.problem().code, ErrorCode::TooManyRequests);
    // Neither the right password nor another spelling of the address gets through now.
    for (email, password) in [
        (email.clone(), PASSWORD),
        (format!(" {} ", email.to_uppercase()), "Guess-13"),
    ] {
        guess(&world, &email, password).await.is(429);
    }
}

async fn an_order_and_its_payment_are_shown_to_their_buyer_alone(world: World) {
    let ((seller, buyer), stranger) = futures::join!(world.two_people(), world.person());
    let ticket = seller.lists(bigtix_contracts::Cents(2000)).await;
    let (order, _) = buyer.buys(&world, ticket.id).await;
    for who in [&seller, &stranger] {
        for path in [
            format!("/api/orders/{}", order.id),
            format!("/api/orders/get-order/{}", order.id),
            format!("/api/payments/{}", order.id),
        ] {
            world.get(&path).by(who).await.refuses(401, "Not authorized");
        }
        world
            .delete(&format!("/api/orders/{}", order.id))
            .by(who)
            .await
            .refuses(401, "Not authorized");
    }
    let refund = world
        .post(&format!("/api/payments/{}/refund", order.id))
        .by(&stranger);
    refund.json(json!({})).await.refuses(401, "Not authorized");
    let edit = world.patch(&format!("/api/tickets/{}", ticket.id)).by(&stranger);
    edit.json(json!({"price": 1}))
        .await
        .refuses(401, "Not authorized");
    // What others may see of an order says nothing of its buyer.
    let seen = world.get(&format!("/api/orders/get-order-safe-details/{}", order.id));
    seen.by(&stranger)
        .await
        .is(200)
        .has_exactly(&["id", "status", "expiresAt"]);
}
