//! What strangers try.

use bigtix_contracts::Cents;
use bigtix_tests::suite::Scenario;
use bigtix_tests::world::unique;
use bigtix_tests::{World, scenarios};
use reqwest::Method;

use crate::browser::Browser;

pub(crate) const ALL: &[(&str, Scenario)] = scenarios![
    forms_of_other_sites_are_refused,
    bodies_have_bounds,
    other_methods_are_refused,
    headers_tell_browsers_to_be_careful,
    what_is_free_is_streamed_as_it_changes,
];

async fn forms_of_other_sites_are_refused(world: World) {
    let person = world.person().await;
    let mut browser = Browser::of(&world, &person);
    let form = browser.get("/auth/signout").await.is(200).form("Sign out");
    for headers in [
        &[("origin", "https://evil.test")][..],
        &[("origin", "null")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
    ] {
        let page = browser.send_with(&form, headers).await.is(403);
        assert!(browser.cookie("session").is_some(), "{headers:?} {}", page.text);
    }
    // Without a session there is still something to protect: who somebody is signed in as.
    let mut visitor = Browser::new(&world);
    let form = visitor.get("/auth/signin").await.is(200).form("Sign in");
    visitor
        .send_with(&form, &[("origin", "https://evil.test")])
        .await
        .is(403);
    let own = world.shop().run().url.clone();
    let headers = [("origin", own.as_str()), ("sec-fetch-site", "same-origin")];
    visitor.send_with(&form, &headers).await.is(422);
}

async fn bodies_have_bounds(world: World) {
    let person = world.person().await;
    let mut browser = Browser::of(&world, &person);
    let form = browser.get("/tickets/new").await.is(200).form("Put on sale");
    let page = browser
        .send(&form.with("description", "x".repeat(70_000)))
        .await
        .is(413);
    assert_eq!(page.the("h1"), "That is too much");
}

async fn other_methods_are_refused(world: World) {
    let mut browser = Browser::new(&world);
    for (method, path) in [
        (Method::PUT, "/"),
        (Method::DELETE, "/cart"),
        (Method::POST, "/orders"),
    ] {
        let page = browser.ask(method, path, &[], &[]).await.is(405);
        assert_eq!(page.the("h1"), "That does not work here", "{path}");
    }
}

async fn headers_tell_browsers_to_be_careful(world: World) {
    let mut browser = Browser::new(&world);
    for path in ["/", "/nothing", "/auth/signin", "/cart"] {
        let page = browser.get(path).await;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("x-frame-options", "DENY"),
        ] {
            assert_eq!(page.headers[name], value, "{path}");
        }
        let policy = page.headers["content-security-policy"]
            .to_str()
            .expect("a policy");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"),
            "{policy}"
        );
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("form-action 'self'"));
    }
}

async fn what_is_free_is_streamed_as_it_changes(world: World) {
    let (seller, buyer) = world.two_people().await;
    let event = seller.adds_an_event(&unique("Live")).await;
    let tickets = seller.lists_for(&event, 2, Cents(20_00)).await;
    let mut browser = Browser::new(&world);
    let page = browser.get(&format!("/events/{}", event.id)).await.is(200);
    assert_eq!(page.the("[data-free]"), "2");
    let asked = browser
        .get(&page.attribute(".offer", "data-availability"))
        .await
        .is(200);
    let state: serde_json::Value = serde_json::from_str(&asked.text).expect("JSON");
    assert_eq!(
        (state["free"].as_u64(), &state["prices"]),
        (Some(2), &serde_json::json!([2000, 2000]))
    );

    let mut stream = browser.listen(&page.attribute(".offer", "data-live")).await;
    assert_eq!(stream.next_state().await["free"], 2);
    buyer.reserves(tickets[0].id).await;
    let state = stream.next_state().await;
    assert_eq!(
        (&state["free"], &state["tickets"]),
        (&serde_json::json!(1), &serde_json::json!([tickets[1].id]))
    );
    browser.get("/events/64b0c0ffee0000000000dead/live").await.is(404);
}
