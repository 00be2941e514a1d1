//! Signing up.

use futures::future::join_all;
use reqwest::Method;
use serde_json::json;

use crate::house::{House, PASSWORD};

const PATH: &str = "/api/users/signup";

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_up_is_signed_in() {
    let house = House::open().await;
    let answer = house.sign_up("  Ann@Example.COM ").await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.body["email"], "ann@example.com");
    assert_eq!(
        answer.body.as_object().unwrap().len(),
        2,
        "id and email, nothing else"
    );
    let cookies = answer.cookies();
    assert_eq!(cookies.len(), 1);
    for part in [
        "session=",
        "; HttpOnly",
        "; Path=/",
        "; SameSite=Lax",
        "; Max-Age=43200",
    ] {
        assert!(cookies[0].contains(part), "{part}");
    }
    assert!(!cookies[0].contains("Secure"));
    let user = house.current_user(&[("cookie", &answer.session())]).await;
    assert_eq!(
        (&user["id"], &user["email"]),
        (&answer.body["id"], &answer.body["email"])
    );
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_who_want_one_address_at_once_one_gets_it() {
    let house = House::open().await;
    let spellings = ["race@example.com", "RACE@example.com", " Race@Example.com "];
    let answers = join_all((0..50).map(|n| house.sign_up(spellings[n % spellings.len()]))).await;
    let won = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(won, 1);
    for lost in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!(lost.errors(), (400, vec![("email", "Email in use")]));
        assert_eq!(lost.body["message"], "Email in use");
        assert_eq!(lost.body["code"], "email_in_use");
        assert!(lost.cookies().is_empty());
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_broken_rule_is_named_under_its_field() {
    let house = House::open().await;
    let answer = house
        .post(PATH, json!({"email": "nobody", "password": "a"}))
        .await;
    let expected = vec![
        ("email", "Email must be valid"),
        ("password", "Password must have 8 to 64 characters"),
        ("password", "Password must contain a digit"),
        ("password", "Password must contain an upper-case letter"),
    ];
    assert_eq!(answer.errors(), (400, expected));
    assert_eq!(answer.body["message"], "Request validation failed");
    assert_eq!(answer.body["code"], "validation_failed");
    let empty = house.post(PATH, json!({})).await;
    let expected = vec![
        ("email", "Email must be valid"),
        ("password", "Password is required"),
    ];
    assert_eq!(empty.errors(), (400, expected));
    let wrong_types = house.post(PATH, json!({"email": 7, "password": ["x"]})).await;
    let expected = vec![
        ("email", "Email must be a string"),
        ("password", "Password must be a string"),
    ];
    assert_eq!(wrong_types.errors(), (400, expected));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_no_json_object_is_refused() {
    let house = House::open().await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = house.url(PATH);
    let send = async |kind: &str, body: String| {
        let answer = client
            .post(&url)
            .header("content-type", kind)
            .body(body)
            .send()
            .await
            .unwrap();
        assert!(answer.headers().contains_key("x-request-id"));
        let status = answer.status().as_u16();
        (
            status,
            answer.json::<serde_json::Value>().await.unwrap()["errors"][0]["message"].clone(),
        )
    };
    assert_eq!(
        send("application/json", "{".to_owned()).await,
        (400, "Malformed JSON".into())
    );
    assert_eq!(
        send("application/json", "[]".to_owned()).await,
        (400, "The body must be an object".into())
    );
    assert_eq!(send("text/plain", "{}".to_owned()).await.0, 415);
    let large = format!(r#"{{"email": "{}"}}"#, "a".repeat(1 << 20));
    assert_eq!(send("application/json", large).await.0, 413);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_basic_policy_asks_for_four_characters() {
    let house = House::open_with(&[("PASSWORD_POLICY", "basic")]).await;
    let sign_up =
        |password: &'static str| house.post(PATH, json!({"email": "b@example.com", "password": password}));
    assert_eq!(
        sign_up("abc").await.errors(),
        (400, vec![("password", "Password must have 4 to 64 characters")])
    );
    assert_eq!(sign_up("password").await.status, 201);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_https_shop_sets_secure_cookies() {
    let house = House::open_with(&[("PUBLIC_URL", "https://shop.example")]).await;
    assert!(house.sign_up("a@example.com").await.cookies()[0].contains("; Secure"));
    house.close().await;
    let house = House::open().await;
    let body = json!({"email": "a@example.com", "password": PASSWORD});
    let forwarded = house
        .ask(Method::POST, PATH, &[("x-forwarded-proto", "https")], Some(body))
        .await;
    assert!(forwarded.cookies()[0].contains("; Secure"));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_too_many_passwords_wait_the_rest_is_turned_away_at_once() {
    let settings = [
        ("PASSWORD_HASH_WORKERS", "1"),
        ("PASSWORD_HASH_QUEUE", "1"),
        ("PASSWORD_HASH_MEMORY_KIB", "65536"),
    ];
    let house = House::open_with(&settings).await;
    let emails: Vec<String> = (0..40).map(|n| format!("u{n}@example.com")).collect();
    let answers = join_all(emails.iter().map(|email| house.sign_up(email))).await;
    assert!(answers.iter().any(|answer| answer.status == 201));
    let turned_away: Vec<_> = answers.iter().filter(|answer| answer.status != 201).collect();
    assert!(!turned_away.is_empty());
    for answer in turned_away {
        assert_eq!(
            (answer.status, &answer.body["code"]),
            (503, &json!("unavailable"))
        );
        assert!(answer.headers.contains_key("retry-after"));
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_may_not_ask_as_often_as_it_likes() {
    let house = House::open_with(&[("REQUESTS_PER_ADDRESS_PER_SECOND", "1")]).await;
    let ask = async |from: &str| {
        let headers = [("x-forwarded-for", from)];
        house
            .ask(Method::POST, "/api/users/signout", &headers, None)
            .await
    };
    let mut refused = Vec::new();
    for _ in 0..40 {
        refused.extend(Some(ask("2001:db8::1").await).filter(|answer| answer.status == 429));
    }
    assert!((5..=30).contains(&refused.len()), "{}", refused.len());
    assert_eq!(refused[0].headers["retry-after"], "1");
    // A neighbour in the same network of version 6 is the same customer of a provider; others are not.
    assert_eq!(ask("2001:db8::2").await.status, 429);
    assert_eq!(ask("2001:db8:0:1::1").await.status, 200);
    assert_eq!(ask("127.0.0.1").await.status, 200);
    house.close().await;
}
