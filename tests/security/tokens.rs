//! Tokens that the shop did not give out.

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bigtix_client::Token;
use bigtix_contracts::internal::paths;
use bigtix_tests::suite::Scenario;
use bigtix_tests::{Ask, Person, World, scenarios};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Sha256, Sha512};
use url::Url;

use crate::sockets;

pub(crate) const ALL: &[(&str, Scenario)] = scenarios![
    a_token_that_nobody_signed_is_nobodys,
    a_token_with_another_key_is_nobodys,
    a_token_whose_time_is_over_or_has_no_end_is_nobodys,
    a_token_between_services_is_nobodys_session,
    nobody_makes_himself_an_administrator,
    a_session_is_no_services_token,
];

const SOME_ID: &str = "64b0c0ffee0000000000beef";

/// The keys of the shop, as only its owner can read them.
struct Keys {
    id: String,
    session: Vec<u8>,
    service: Vec<u8>,
}

fn keys(world: &World) -> Keys {
    let read = |name: &str| -> Value {
        let text = fs::read(world.shop().folder().join(name)).expect("the folder's keys");
        serde_json::from_slice(&text).expect("JSON")
    };
    let (sessions, secrets) = (read("session-keys.json"), read("secrets.json"));
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    Keys {
        id: text(&sessions[0]["id"]),
        session: STANDARD.decode(text(&sessions[0]["base64"])).expect("a key"),
        service: text(&secrets["services"]).into_bytes(),
    }
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

fn claims(person: &Person) -> Value {
    json!({"id": person.user.id, "email": person.user.email, "iat": now(), "exp": now() + 3600})
}

fn unsigned(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

fn hs256(key: &[u8], header: &Value, claims: &Value) -> Token {
    let text = unsigned(header, claims);
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any key");
    mac.update(text.as_bytes());
    Token::new(&format!(
        "{text}.{}",
        URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    ))
}

fn hs512(key: &[u8], header: &Value, claims: &Value) -> Token {
    let text = unsigned(header, claims);
    let mut mac = Hmac::<Sha512>::new_from_slice(key).expect("any key");
    mac.update(text.as_bytes());
    Token::new(&format!(
        "{text}.{}",
        URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    ))
}

fn header(id: &str) -> Value {
    json!({"alg": "HS256", "typ": "JWT", "kid": id})
}

/// Every service refuses it, through the edge and at its own door.
async fn is_nobodys(world: &World, token: &Token, what: &str) {
    let url = |service: &str, path: &str| format!("{}{path}", world.shop().service_url(service));
    let current = "/api/users/currentuser";
    for ask in [world.get(current), Ask::new(Method::GET, url("auth", current))] {
        for ask in [ask.clone().by(token), ask.by_cookie(token)] {
            assert_eq!(ask.await.is(200).json["currentUser"], Value::Null, "{what}");
        }
    }
    let payment = format!("/api/payments/{SOME_ID}");
    for (service, path) in [
        ("tickets", "/api/tickets/currentuser"),
        ("orders", "/api/orders"),
        ("payments", payment.as_str()),
    ] {
        for ask in [world.get(path), Ask::new(Method::GET, url(service, path))] {
            ask.clone().by(token).await.refuses(401, "Not authorized");
            ask.by_cookie(token).await.refuses(401, "Not authorized");
        }
    }
}

async fn a_token_that_nobody_signed_is_nobodys(world: World) {
    let (person, keys) = (world.person().await, keys(&world));
    for algorithm in ["none", "None", "nOnE", "", "HS384", "RS256", "ES256"] {
        let header = json!({"alg": algorithm, "typ": "JWT", "kid": keys.id});
        let text = unsigned(&header, &claims(&person));
        for token in [format!("{text}."), text.clone(), format!("{text}.AAAA")] {
            is_nobodys(&world, &Token::new(&token), algorithm).await;
        }
    }
    // The right key under another name of the algorithm.
    let other = json!({"alg": "HS512", "typ": "JWT", "kid": keys.id});
    is_nobodys(&world, &hs512(&keys.session, &other, &claims(&person)), "HS512").await;
}

async fn a_token_with_another_key_is_nobodys(world: World) {
    let (person, keys) = (world.person().await, keys(&world));
    let real = hs256(&keys.session, &header(&keys.id), &claims(&person));
    world.get("/api/orders").by(&real).await.is(200);
    for (what, token) in [
        (
            "another key id",
            hs256(&keys.session, &header("k0"), &claims(&person)),
        ),
        (
            "a path as key id",
            hs256(b"", &header("/dev/null"), &claims(&person)),
        ),
        (
            "another key",
            hs256(&[0; 32], &header(&keys.id), &claims(&person)),
        ),
        ("no key", hs256(b"", &header(&keys.id), &claims(&person))),
        (
            "another key, no id",
            hs256(&[0; 32], &json!({"alg": "HS256"}), &claims(&person)),
        ),
        (
            "a key in the token",
            hs256(
                &[7; 32],
                &json!({"alg": "HS256", "kid": keys.id, "jwk": {"kty": "oct", "k": URL_SAFE_NO_PAD.encode([7; 32])}}),
                &claims(&person),
            ),
        ),
    ] {
        is_nobodys(&world, &token, what).await;
    }
}

async fn a_token_whose_time_is_over_or_has_no_end_is_nobodys(world: World) {
    let (person, keys) = (world.person().await, keys(&world));
    for (what, end) in [
        ("over", json!(now() - 1)),
        ("long over", json!(0)),
        ("no end", Value::Null),
    ] {
        let mut claims = claims(&person);
        claims["exp"] = end;
        if claims["exp"].is_null() {
            claims.as_object_mut().expect("claims").remove("exp");
        }
        is_nobodys(&world, &hs256(&keys.session, &header(&keys.id), &claims), what).await;
    }
}

async fn a_token_between_services_is_nobodys_session(world: World) {
    let (person, keys) = (world.person().await, keys(&world));
    let service = json!({"iss": "orders", "aud": "bigtix-internal", "exp": now() + 300});
    let mut both = claims(&person);
    both["aud"] = json!("bigtix-internal");
    for claims in [service, both] {
        for id in ["s1", keys.id.as_str()] {
            is_nobodys(
                &world,
                &hs256(&keys.service, &header(id), &claims),
                "another service's",
            )
            .await;
        }
    }
}

async fn nobody_makes_himself_an_administrator(world: World) {
    let person = world.person().await;
    let real = person.token.expose();
    let mut parts = real.split('.');
    let (head, body, signature) = (parts.next(), parts.next(), parts.next());
    let body = URL_SAFE_NO_PAD.decode(body.expect("claims")).expect("base64");
    let mut claims: Value = serde_json::from_slice(&body).expect("JSON");
    claims["admin"] = json!(true);
    let body = URL_SAFE_NO_PAD.encode(claims.to_string());
    let token = format!(
        "{}.{body}.{}",
        head.expect("a header"),
        signature.expect("a signature")
    );
    is_nobodys(&world, &Token::new(&token), "changed claims").await;
}

/// The ports that the orders service listens on and tells nobody: calls between services come there.
fn inner_ports(world: &World) -> Vec<u16> {
    let run = world.shop().run();
    let mut told: Vec<String> = run.services.values().map(|service| service.url.clone()).collect();
    told.push(run.url.clone());
    let told: Vec<u16> = told
        .iter()
        .filter_map(|url| Url::parse(url).ok()?.port())
        .collect();
    let open = sockets::listening_of(world.shop().service_pids("orders")[0]);
    open.into_iter().filter(|port| !told.contains(port)).collect()
}

async fn a_session_is_no_services_token(world: World) {
    let (person, keys) = (world.person().await, keys(&world));
    let service = json!({"iss": "payments", "aud": "bigtix-internal", "exp": now() + 300});
    let mut session = claims(&person);
    session["aud"] = json!("bigtix-internal");
    session["admin"] = json!(true);
    let refused = [
        ("nobody's", Token::new("")),
        ("a session", person.token.clone()),
        (
            "a session's key",
            hs256(&keys.session, &header(&keys.id), &session),
        ),
        (
            "a session's key under the services' name",
            hs256(&keys.session, &header("s1"), &service),
        ),
        (
            "another audience",
            hs256(
                &keys.service,
                &header("s1"),
                &json!({"iss": "payments", "aud": "x", "exp": now() + 300}),
            ),
        ),
        (
            "no audience",
            hs256(
                &keys.service,
                &header("s1"),
                &json!({"iss": "payments", "exp": now() + 300}),
            ),
        ),
        (
            "over",
            hs256(
                &keys.service,
                &header("s1"),
                &json!({"iss": "payments", "aud": "bigtix-internal", "exp": now() - 600}),
            ),
        ),
    ];
    let call = json!({"orderId": SOME_ID, "paymentId": SOME_ID});
    let mut answered = 0;
    for port in inner_ports(&world) {
        let ask = |token: &Token| {
            let url = format!("http://127.0.0.1:{port}{}", paths::CONFIRM);
            Ask::new(Method::POST, url)
                .json(call.clone())
                .by(token)
                .elsewhere()
        };
        for (what, token) in &refused {
            assert_eq!(ask(token).await.status, 401, "{what} at {port}");
        }
        let known = ask(&hs256(&keys.service, &header("s1"), &service)).await;
        assert_eq!(known.status, 404, "no such order, or no such call: {known}");
        answered += 1;
    }
    assert!(answered > 0, "orders listens for calls between services");
}
