//! Signing in, and failing to.

use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::json;

use crate::house::{House, PASSWORD};

const WRONG: &str = "Wr0ngPassword";

#[tokio::test(flavor = "multi_thread")]
async fn the_right_password_signs_in_whatever_the_spelling_of_the_email() {
    let house = House::open().await;
    let id = house.sign_up("ann@example.com").await.body["id"].clone();
    let answer = house.sign_in(" ANN@example.com", PASSWORD, "10.0.0.1").await;
    assert_eq!(
        (answer.status, &answer.body),
        (200, &json!({"id": id, "email": "ann@example.com"}))
    );
    assert_eq!(
        house.current_user(&[("cookie", &answer.session())]).await["id"],
        id
    );
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_email_and_a_wrong_password_look_the_same() {
    let house = House::open_with(&[
        ("SIGN_IN_FAILURES_PER_EMAIL", "1000"),
        ("SIGN_IN_FAILURES_PER_ADDRESS", "1000"),
    ])
    .await;
    house.sign_up("ann@example.com").await;
    let (mut unknown, mut wrong) = (Vec::new(), Vec::new());
    for _ in 0..15 {
        for (email, times) in [
            ("nobody@example.com", &mut unknown),
            ("ann@example.com", &mut wrong),
        ] {
            let began = Instant::now();
            let answer = house.sign_in(email, WRONG, "10.0.0.1").await;
            times.push(began.elapsed());
            assert_eq!(answer.errors(), (400, vec![("", "Invalid credentials")]));
            assert_eq!(answer.body["code"], "invalid_credentials");
            assert!(answer.cookies().is_empty());
        }
    }
    let median = |mut times: Vec<Duration>| {
        times.sort();
        times[times.len() / 2]
    };
    let (unknown, wrong) = (median(unknown), median(wrong));
    assert!(
        unknown < wrong * 2 && wrong < unknown * 2,
        "{unknown:?} and {wrong:?}"
    );
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_named() {
    let house = House::open().await;
    let answer = house
        .post("/api/users/signin", json!({"email": "ann@example.com"}))
        .await;
    assert_eq!(answer.errors(), (400, vec![("password", "Password is required")]));
    let answer = house
        .post("/api/users/signin", json!({"email": "x", "password": ""}))
        .await;
    let expected = vec![
        ("email", "Email must be valid"),
        ("password", "Password is required"),
    ];
    assert_eq!(answer.errors(), (400, expected));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_ten_failures_from_an_address_an_email_has_to_wait_there_and_only_there() {
    let house = House::open().await;
    house.sign_up("ann@example.com").await;
    for _ in 0..10 {
        assert_eq!(
            house.sign_in("ann@example.com", WRONG, "10.0.0.1").await.status,
            400
        );
    }
    let refused = house.sign_in("ann@example.com", PASSWORD, "10.0.0.1").await;
    assert_eq!(
        (refused.status, &refused.body["code"]),
        (429, &json!("too_many_requests"))
    );
    let wait: u64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=300).contains(&wait), "{wait}");
    assert_eq!(
        house
            .sign_in("ann@example.com", PASSWORD, "10.0.0.2")
            .await
            .status,
        200
    );
    assert_eq!(
        house.sign_in("bob@example.com", WRONG, "10.0.0.1").await.status,
        400
    );
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_success_forgives_the_failures_before_it() {
    let house = House::open().await;
    house.sign_up("ann@example.com").await;
    for _ in 0..2 {
        for _ in 0..9 {
            assert_eq!(
                house.sign_in("ann@example.com", WRONG, "10.0.0.1").await.status,
                400
            );
        }
        assert_eq!(
            house
                .sign_in("ann@example.com", PASSWORD, "10.0.0.1")
                .await
                .status,
            200
        );
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_guesses_at_once_do_not_outrun_the_limit() {
    let house = House::open().await;
    house.sign_up("ann@example.com").await;
    let guesses = join_all((0..40).map(|_| house.sign_in("ann@example.com", WRONG, "10.0.0.1"))).await;
    let of = |status| guesses.iter().filter(|answer| answer.status == status).count();
    assert_eq!((of(400), of(429)), (10, 30));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_right_passwords_at_once_are_no_failures() {
    let house = House::open().await;
    house.sign_up("ann@example.com").await;
    let answers = join_all((0..30).map(|_| house.sign_in("ann@example.com", PASSWORD, "10.0.0.1"))).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_has_a_limit_over_all_emails() {
    let house = House::open_with(&[("SIGN_IN_FAILURES_PER_ADDRESS", "12")]).await;
    let emails: Vec<String> = (0..20).map(|n| format!("u{n}@example.com")).collect();
    let answers = join_all(emails.iter().map(|email| house.sign_in(email, WRONG, "10.0.0.1"))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 400).count(), 12);
    assert_eq!(answers.iter().filter(|answer| answer.status == 429).count(), 8);
    assert_eq!(
        house.sign_in("u0@example.com", WRONG, "10.0.0.2").await.status,
        400
    );
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_forgotten_after_its_time() {
    let settings = [
        ("SIGN_IN_FAILURES_PER_EMAIL", "2"),
        ("SIGN_IN_FAILURE_WINDOW_SECONDS", "5"),
    ];
    let house = House::open_with(&settings).await;
    house.sign_up("ann@example.com").await;
    for _ in 0..2 {
        assert_eq!(
            house.sign_in("ann@example.com", WRONG, "10.0.0.1").await.status,
            400
        );
    }
    assert_eq!(
        house
            .sign_in("ann@example.com", PASSWORD, "10.0.0.1")
            .await
            .status,
        429
    );
    bigtix_testkit::eventually("the failures to be forgotten", async || {
        (house
            .sign_in("ann@example.com", PASSWORD, "10.0.0.1")
            .await
            .status
            == 200)
            .then_some(())
    })
    .await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn proxies_that_are_not_trusted_are_clients_themselves() {
    let house = House::open_with(&[
        ("TRUSTED_PROXIES", "192.0.2.0/24"),
        ("SIGN_IN_FAILURES_PER_EMAIL", "2"),
    ])
    .await;
    for from in ["10.0.0.1", "10.0.0.2"] {
        assert_eq!(house.sign_in("ann@example.com", WRONG, from).await.status, 400);
    }
    assert_eq!(
        house.sign_in("ann@example.com", WRONG, "10.0.0.3").await.status,
        429
    );
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hash_of_older_parameters_is_made_anew_at_the_next_sign_in() {
    let cheap = House::open_with(&[("PASSWORD_HASH_MEMORY_KIB", "1024")]).await;
    cheap.sign_up("ann@example.com").await;
    let values = cheap.values.clone();
    cheap.close().await;
    let extra: Vec<(&str, &str)> = values
        .iter()
        .filter(|(name, _)| *name != "PASSWORD_HASH_MEMORY_KIB")
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let dear = House::open_with(&extra).await;
    let users = dear.collection("users").await;
    assert!(stored_hash(&users).await.contains("m=1024"));
    for _ in 0..2 {
        assert_eq!(
            dear.sign_in("ann@example.com", PASSWORD, "10.0.0.1").await.status,
            200
        );
        assert!(stored_hash(&users).await.contains("m=19456,t=2,p=1"));
    }
    dear.close().await;
}

async fn stored_hash(users: &mongodb::Collection<bson::Document>) -> String {
    let user = users
        .find_one(bson::doc! {"email": "ann@example.com"})
        .await
        .unwrap()
        .unwrap();
    user.get_str("passwordHash").unwrap().to_owned()
}
