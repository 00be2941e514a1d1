//! The session's cookie, and who may use it without the buyer's knowledge.

use bigtix_contracts::ErrorCode;
use bigtix_tests::suite::Scenario;
use bigtix_tests::world::{PASSWORD, unique};
use bigtix_tests::{Answer, World, scenarios};
use reqwest::Method;
use serde_json::json;

use crate::documents::operations;

pub(crate) const ALL: &[(&str, Scenario)] = scenarios![
    the_cookie_is_for_this_shop_and_no_script,
    no_other_site_changes_anything_on_a_visitors_behalf,
];

/// The flags of the session's cookie, in lower case.
fn flags(answer: &Answer) -> Vec<String> {
    let cookies = answer.headers.get_all("set-cookie").into_iter();
    let mut sessions = cookies
        .filter_map(|value| value.to_str().ok())
        .filter(|value| value.starts_with("session="));
    let cookie = sessions
        .next()
        .unwrap_or_else(|| panic!("no session in {answer}"));
    cookie
        .split(';')
        .skip(1)
        .map(|flag| flag.trim().to_lowercase())
        .collect()
}

async fn the_cookie_is_for_this_shop_and_no_script(world: World) {
    let email = format!("{}@people.test", unique("c"));
    let account = json!({"email": email, "password": PASSWORD});
    let answers = [
        world
            .post("/api/users/signup")
            .json(account.clone())
            .await
            .is(201),
        world
            .post("/api/users/signin")
            .json(account.clone())
            .await
            .is(200),
        world.post("/api/users/signout").json(json!({})).await.is(200),
    ];
    for answer in &answers {
        let flags = flags(answer);
        for wanted in ["httponly", "path=/", "samesite=lax"] {
            assert!(flags.iter().any(|flag| flag == wanted), "{wanted} in {answer}");
        }
        assert!(!flags.iter().any(|flag| flag.starts_with("domain")), "{answer}");
        assert!(!flags.contains(&"secure".to_owned()), "over http: {answer}");
    }
    // Whoever is no trusted proxy cannot say that it was https.
    let pretended = world.post("/api/users/signin").json(account);
    let answer = pretended.header("x-forwarded-proto", "https").await.is(200);
    assert!(!flags(&answer).contains(&"secure".to_owned()), "{answer}");
}

async fn no_other_site_changes_anything_on_a_visitors_behalf(world: World) {
    let person = world.person().await;
    let mut tried = 0;
    for operation in operations(&world).await {
        // Stripe's webhooks carry a signature of their own.
        if operation.method == Method::GET || operation.template.starts_with("/api/webhooks/") {
            continue;
        }
        for origin in ["https://evil.example", "null", "http://127.0.0.1.evil.example"] {
            let ask = world
                .ask(operation.method.clone(), &operation.path)
                .json(json!({}));
            let answer = ask.by_cookie(&person).header("origin", origin).await;
            assert_eq!(answer.status, 403, "{answer}");
            assert_eq!(answer.problem().code, ErrorCode::ForeignOrigin, "{answer}");
        }
        tried += 1;
    }
    assert!(tried > 15, "{tried} operations change something");
    // The address that the visitor's browser is to believe in is not what the attacker says it is.
    let pretended = world.post("/api/users/signout").by_cookie(&person);
    let answer = pretended
        .header("origin", "https://evil.example")
        .header("x-forwarded-host", "evil.example")
        .header("x-forwarded-proto", "https")
        .await;
    assert_eq!(answer.status, 403, "{answer}");
}
