//! Sessions: their tokens, and their end.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use reqwest::Method;
use serde_json::Value;

use crate::house::{House, PASSWORD};

fn token(session: &str) -> String {
    let cookie = session.strip_prefix("session=").unwrap();
    let body: Value = serde_json::from_slice(&STANDARD.decode(cookie).unwrap()).unwrap();
    body["jwt"].as_str().unwrap().to_owned()
}

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_lasts_as_long_as_the_shop_says() {
    let house = House::open_with(&[("SESSION_LIFETIME_SECONDS", "60")]).await;
    let answer = house.sign_up("ann@example.com").await;
    assert!(answer.cookies()[0].contains("; Max-Age=60"));
    let claims = claims(&token(&answer.session()));
    assert_eq!(
        claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(),
        60
    );
    assert_eq!(
        (&claims["id"], &claims["email"]),
        (&answer.body["id"], &answer.body["email"])
    );
    assert_eq!(claims.get("admin"), None);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn administrators_are_named_by_their_emails() {
    let house = House::open_with(&[("ADMINISTRATORS", "boss@example.com, Root@Example.com")]).await;
    let answer = house.sign_up("root@example.com").await;
    assert_eq!(claims(&token(&answer.session()))["admin"], true);
    let again = house.sign_in("root@example.com", PASSWORD, "10.0.0.1").await;
    assert_eq!(claims(&token(&again.session()))["admin"], true);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_current_user_is_whom_the_token_names_or_nobody() {
    let house = House::open().await;
    let answer = house.sign_up("ann@example.com").await;
    let token = token(&answer.session());
    let user = house
        .current_user(&[("authorization", &format!("Bearer {token}"))])
        .await;
    assert_eq!(
        (&user["id"], &user["email"]),
        (&answer.body["id"], &answer.body["email"])
    );
    assert_eq!(user["iat"], claims(&token)["iat"]);
    assert_eq!(user.as_object().unwrap().len(), 3);
    let old_name = answer.session().replacen("session=", "express:sess=", 1);
    assert_eq!(
        house.current_user(&[("cookie", &old_name)]).await["id"],
        answer.body["id"]
    );
    for header in [
        ("cookie", "session=bm9uc2Vuc2U="),
        ("cookie", "session=e30="),
        ("authorization", "Bearer x.y.z"),
    ] {
        assert_eq!(house.current_user(&[header]).await, Value::Null, "{header:?}");
    }
    assert_eq!(house.current_user(&[]).await, Value::Null);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_expires_the_cookie_with_or_without_a_body() {
    let house = House::open().await;
    for body in [None, Some(serde_json::json!({}))] {
        let answer = house.ask(Method::POST, "/api/users/signout", &[], body).await;
        assert_eq!((answer.status, &answer.body), (200, &serde_json::json!({})));
        let cookies = answer.cookies();
        assert_eq!(cookies.len(), 1);
        assert!(
            cookies[0].starts_with("session=; Max-Age=0; Expires=Thu, 01 Jan 1970"),
            "{cookies:?}"
        );
    }
    let old = house
        .ask(
            Method::POST,
            "/api/users/signout",
            &[("cookie", "express:sess=x")],
            None,
        )
        .await;
    assert!(old.cookies()[1].starts_with("express:sess=; Max-Age=0"));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_origin_cannot_sign_anybody_out() {
    let house = House::open().await;
    let headers = [("cookie", "session=x"), ("origin", "https://evil.example")];
    let answer = house
        .ask(Method::POST, "/api/users/signout", &headers, None)
        .await;
    assert_eq!(
        (answer.status, answer.body["code"].as_str()),
        (403, Some("foreign_origin"))
    );
    house.close().await;
}
