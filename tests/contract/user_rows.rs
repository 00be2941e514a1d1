//! Signing up, in and out.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bigtix_contracts::ErrorCode;
use bigtix_tests::suite::Scenario;
use bigtix_tests::world::{PASSWORD, unique};
use bigtix_tests::{Answer, World, scenarios};
use serde_json::{Value, json};

pub(crate) const ALL: &[(&str, Scenario)] = scenarios![
    a_sign_up_answers_the_user_and_a_session_cookie,
    an_address_is_trimmed_and_lowered,
    what_is_no_address_is_refused,
    a_password_is_told_every_rule_that_it_breaks,
    a_field_of_the_wrong_type_is_told_so,
    an_address_is_signed_up_once,
    a_user_signs_in_with_the_right_password_only,
    guessing_passwords_is_slowed_down,
    signing_out_expires_the_cookie,
];

async fn sign_up(world: &World, body: Value) -> Answer {
    world.post("/api/users/signup").json(body).await
}

fn address() -> String {
    format!("{}@people.test", unique("user"))
}

async fn a_sign_up_answers_the_user_and_a_session_cookie(world: World) {
    let email = address();
    let answer = sign_up(&world, json!({"email": email, "password": PASSWORD}))
        .await
        .is(201);
    answer.has_exactly(&["id", "email"]);
    assert_eq!(answer.string("/email"), email);
    assert_eq!(answer.string("/id").len(), 24);

    let cookie = answer.header("set-cookie").expect("a cookie");
    let mut parts = cookie.split(';').map(str::trim);
    let value = parts
        .next()
        .and_then(|pair| pair.strip_prefix("session="))
        .expect("a session cookie");
    let attributes: Vec<String> = parts.map(str::to_ascii_lowercase).collect();
    for attribute in ["httponly", "path=/", "samesite=lax"] {
        assert!(
            attributes.iter().any(|found| found == attribute),
            "{attribute} in {cookie}"
        );
    }
    assert!(
        !attributes.iter().any(|found| found == "secure"),
        "Secure behind an edge without TLS"
    );

    let body: Value = serde_json::from_slice(&STANDARD.decode(value).expect("base64")).expect("JSON");
    let token = body["jwt"].as_str().expect("a token");
    let part = |n: usize| -> Value {
        let text = token.split('.').nth(n).expect("three parts");
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).expect("base64url")).expect("JSON")
    };
    let (header, claims) = (part(0), part(1));
    assert_eq!(header["alg"], "HS256");
    assert!(header["kid"].is_string(), "{header}");
    assert_eq!(
        (claims["id"].as_str(), claims["email"].as_str()),
        (Some(answer.string("/id").as_str()), Some(email.as_str()))
    );
    let seconds = claims["exp"].as_i64().expect("an end") - claims["iat"].as_i64().expect("a beginning");
    assert_eq!(seconds, 12 * 60 * 60);
}

async fn an_address_is_trimmed_and_lowered(world: World) {
    let email = address();
    let typed = format!("  {} ", email.to_uppercase());
    let answer = sign_up(&world, json!({"email": typed, "password": PASSWORD}))
        .await
        .is(201);
    assert_eq!(answer.string("/email"), email);
    let answer = world
        .post("/api/users/signin")
        .json(json!({"email": typed, "password": PASSWORD}))
        .await;
    assert_eq!(answer.is(200).string("/email"), email);
}

async fn what_is_no_address_is_refused(world: World) {
    for email in ["", "ann", "ann@", "@people.test", "ann people@people.test"] {
        let answer = sign_up(&world, json!({"email": email, "password": PASSWORD})).await;
        answer.refuses(400, "Email must be valid").about("email");
    }
    sign_up(&world, json!({"password": PASSWORD}))
        .await
        .refuses_field("email");
}

async fn a_password_is_told_every_rule_that_it_breaks(world: World) {
    for (password, broken) in [
        ("abc", 3),
        ("abcdefgh", 2),
        ("Abcdefgh", 1),
        ("ABCDEFG1", 1),
        ("Abcdef1", 1),
        (&format!("Ab1{}", "x".repeat(62)), 1),
    ] {
        let answer = sign_up(&world, json!({"email": address(), "password": password})).await;
        let told = answer.refuses_field("password");
        assert_eq!(told.len(), broken, "{password}: {told:?}");
    }
    let answer = sign_up(&world, json!({"email": "ann", "password": "abc"})).await;
    answer.clone().refuses_field("email");
    answer.refuses_field("password");
    sign_up(&world, json!({"email": address(), "password": "Abcdefg1"}))
        .await
        .is(201);
}

async fn a_field_of_the_wrong_type_is_told_so(world: World) {
    let answer = sign_up(&world, json!({"email": 5, "password": PASSWORD})).await;
    answer.refuses(400, "Email must be a string").about("email");
    let answer = sign_up(&world, json!({"email": address(), "password": ["a"]})).await;
    answer.refuses(400, "Password must be a string").about("password");
}

async fn an_address_is_signed_up_once(world: World) {
    let email = address();
    sign_up(&world, json!({"email": email, "password": PASSWORD}))
        .await
        .is(201);
    for again in [email.clone(), email.to_uppercase()] {
        let answer = sign_up(&world, json!({"email": again, "password": PASSWORD})).await;
        answer
            .refuses(400, "Email in use")
            .about("email")
            .with_code(ErrorCode::EmailInUse);
    }
}

async fn a_user_signs_in_with_the_right_password_only(world: World) {
    let person = world.person().await;
    let sign_in = |email: &str, password: &str| {
        world
            .post("/api/users/signin")
            .json(json!({"email": email, "password": password}))
    };
    let answer = sign_in(&person.user.email, PASSWORD).await.is(200);
    answer.has_exactly(&["id", "email"]);
    assert_eq!(answer.string("/id"), person.user.id.to_string());
    assert!(
        answer
            .header("set-cookie")
            .is_some_and(|cookie| cookie.starts_with("session="))
    );
    for (email, password) in [
        (person.user.email.as_str(), "Tickets-4-none"),
        (address().as_str(), PASSWORD),
    ] {
        let answer = sign_in(email, password).await;
        answer
            .refuses(400, "Invalid credentials")
            .with_code(ErrorCode::InvalidCredentials);
    }
    let answer = world
        .post("/api/users/signin")
        .json(json!({"email": 1, "password": PASSWORD}))
        .await;
    answer.refuses_field("email");
}

async fn guessing_passwords_is_slowed_down(world: World) {
    let person = world.person().await;
    let guess = || {
        world
            .post("/api/users/signin")
            .json(json!({"email": person.user.email, "password": "Wrong-000"}))
    };
    for _ in 0..10 {
        guess().await.refuses(400, "Invalid credentials");
    }
    let answer = guess().await.is(429);
    assert_eq!(answer.problem().code, ErrorCode::TooManyRequests);
    let wait: u64 = answer
        .header("retry-after")
        .and_then(|text| text.parse().ok())
        .expect("seconds");
    assert!((1..=300).contains(&wait), "{wait}");
}

async fn signing_out_expires_the_cookie(world: World) {
    let person = world.person().await;
    for ask in [
        world.post("/api/users/signout").json(json!({})),
        world.post("/api/users/signout"),
    ] {
        let answer = ask.by_cookie(&person).await.is(200);
        assert_eq!(answer.json, json!({}));
        let cookie = answer
            .header("set-cookie")
            .expect("a cookie")
            .to_ascii_lowercase();
        let expired = cookie.contains("max-age=0") || cookie.contains("expires=thu, 01 jan 1970");
        assert!(cookie.starts_with("session=;") && expired, "{cookie}");
    }
}
