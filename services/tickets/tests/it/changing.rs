//! Edit and withdraw.

use bigtix_testkit::Answer;
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::market::{Market, Person, ticket_id};

fn path(ticket: &Value) -> String {
    format!("/api/tickets/{}", ticket["id"].as_str().unwrap())
}

async fn put(market: &Market, person: &Person, ticket: &Value, body: Value) -> Answer {
    market.ask(person, Method::PUT, &path(ticket), Some(body)).await
}

async fn withdraw(market: &Market, person: &Person, ticket: &Value) -> Answer {
    market.ask(person, Method::DELETE, &path(ticket), None).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_is_known_to_orders_before_it_is_answered() {
    let market = Market::open().await;
    let seller = market.person();
    let ticket = market
        .list(
            &seller,
            json!({"title": "Old", "price": 20, "description": "Kept"}),
        )
        .await;
    let edited = put(
        &market,
        &seller,
        &ticket,
        json!({"title": "New", "price": "25.50"}),
    )
    .await
    .ok(200);
    assert_eq!(
        (&edited["title"], &edited["description"], &edited["version"]),
        (&json!("New"), &json!("Kept"), &json!(1))
    );
    let copy = market.claims.copy(ticket_id(&ticket)).unwrap();
    assert_eq!(
        (copy.version, copy.state.title.as_str(), copy.state.price.0),
        (1, "New", 2550)
    );
    assert!(
        !market.claims.is_held(ticket_id(&ticket)),
        "the claim is released"
    );
    assert_eq!(market.read(&ticket).await, edited);
    assert_eq!(market.get("/api/tickets?q=new").await.column("title"), ["New"]);
    assert_eq!(market.get("/api/tickets?q=old").await.ok(200), json!([]));
    market.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_changes_what_it_names() {
    let market = Market::open().await;
    let seller = market.person();
    let ticket = market
        .list(
            &seller,
            json!({"title": "Title", "price": 20, "description": "Words"}),
        )
        .await;
    let patch = async |body: Value| {
        market
            .ask(&seller, Method::PATCH, &path(&ticket), Some(body))
            .await
    };
    let edited = patch(json!({"price": 30})).await.ok(200);
    assert_eq!(
        (&edited["title"], &edited["price"], &edited["description"]),
        (&json!("Title"), &json!(30), &json!("Words"))
    );
    assert_eq!(patch(json!({"description": ""})).await.ok(200)["description"], "");
    assert_eq!(
        patch(json!({"title": ""})).await.errors(),
        (400, vec![("title", "Title is required")])
    );
    assert_eq!(
        patch(json!({"price": 0})).await.errors(),
        (400, vec![("price", "Price must be greater than 0")])
    );
    market.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said_in_a_fixed_order() {
    let market = Market::open().await;
    let (seller, other, stranger) = (market.person(), market.person(), market.stranger());
    let ticket = market.list_any(&seller).await;
    market.claims.reserve(ticket_id(&ticket));
    let good = json!({"title": "New", "price": 30});
    assert_eq!(
        put(&market, &stranger, &ticket, json!({})).await.message(),
        (401, "Not authorized")
    );
    let empty = put(&market, &other, &ticket, json!({})).await;
    assert_eq!(
        empty.errors(),
        (
            400,
            vec![
                ("title", "Title is required"),
                ("price", "Price must be a number")
            ]
        )
    );
    let unknown = json!({"id": "64b0c0ffee0000000000beef"});
    assert_eq!(
        put(&market, &other, &unknown, good.clone()).await.message(),
        (404, "Ticket not found")
    );
    assert_eq!(
        put(&market, &other, &json!({"id": "x"}), good.clone())
            .await
            .errors(),
        (400, vec![("id", "ID is invalid")])
    );
    assert_eq!(
        put(&market, &other, &ticket, good.clone()).await.message(),
        (401, "Not authorized")
    );
    let reserved = put(&market, &seller, &ticket, good).await;
    assert_eq!(reserved.message(), (400, "Cannot edit a reserved ticket"));
    assert_eq!(reserved.body["code"], "ticket_reserved");
    assert_eq!(
        withdraw(&market, &stranger, &ticket).await.message(),
        (401, "Not authorized")
    );
    assert_eq!(
        withdraw(&market, &seller, &unknown).await.message(),
        (404, "Ticket not found")
    );
    assert_eq!(
        withdraw(&market, &other, &ticket).await.message(),
        (401, "Not authorized")
    );
    assert_eq!(
        withdraw(&market, &seller, &ticket).await.message(),
        (400, "Cannot withdraw a reserved ticket")
    );
    assert_eq!(market.read(&ticket).await, ticket, "nothing has changed");
    market.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_that_is_based_on_another_version_is_refused() {
    let market = Market::open().await;
    let seller = market.person();
    let ticket = market.list_any(&seller).await;
    put(
        &market,
        &seller,
        &ticket,
        json!({"title": "One", "price": 1, "version": 0}),
    )
    .await
    .ok(200);
    for version in [0, 2] {
        let stale = put(
            &market,
            &seller,
            &ticket,
            json!({"title": "Two", "price": 2, "version": version}),
        )
        .await;
        assert_eq!(stale.message(), (409, "Ticket was changed meanwhile"));
        assert_eq!(stale.body["code"], "version_conflict");
    }
    assert!(!market.claims.is_held(ticket_id(&ticket)));
    assert_eq!(market.read(&ticket).await["version"], 1);
    let bad = put(
        &market,
        &seller,
        &ticket,
        json!({"title": "Two", "price": 2, "version": "one"}),
    )
    .await;
    assert_eq!(
        bad.errors(),
        (400, vec![("version", "Version must be a whole number")])
    );
    market.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_at_once_happen_one_after_the_other() {
    let market = Market::open().await;
    let seller = market.person();
    let ticket = market.list_any(&seller).await;
    let edits = (1..=20).map(|price| put(&market, &seller, &ticket, json!({"title": "T", "price": price})));
    let mut versions: Vec<i64> = join_all(edits)
        .await
        .into_iter()
        .map(|answer| answer.ok(200)["version"].as_i64().unwrap())
        .collect();
    versions.sort_unstable();
    assert_eq!(versions, (1..=20).collect::<Vec<_>>());
    let (now, copy) = (
        market.read(&ticket).await,
        market.claims.copy(ticket_id(&ticket)).unwrap(),
    );
    assert_eq!(now["version"], copy.version);
    assert_eq!(now["price"].as_i64().unwrap() * 100, copy.state.price.0);
    market.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_edits_based_on_one_version_at_once_one_succeeds() {
    let market = Market::open().await;
    let seller = market.person();
    let ticket = market.list_any(&seller).await;
    let body = |price: u32| json!({"title": "T", "price": price, "version": 0});
    let answers = join_all((1..=10).map(|price| put(&market, &seller, &ticket, body(price)))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.status == 409).count(), 9);
    market.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn either_the_buyer_or_the_seller_wins() {
    let market = Market::open().await;
    let seller = market.person();
    for _ in 0..10 {
        let ticket = market.list_any(&seller).await;
        let id = ticket_id(&ticket);
        let reserve = async { market.claims.reserve(id) };
        let (reserved, withdrawn) = tokio::join!(reserve, withdraw(&market, &seller, &ticket));
        assert_ne!(reserved, withdrawn.status == 200);
        assert!(market.claims.is_held(id));
    }
    market.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawn_ticket_is_off_sale_for_ever() {
    let market = Market::open().await;
    let seller = market.person();
    let ticket = market
        .list(&seller, json!({"title": "T", "price": 1, "serialNumber": "S"}))
        .await;
    let withdrawn = withdraw(&market, &seller, &ticket).await.ok(200);
    assert_eq!(
        (&withdrawn["status"], &withdrawn["version"]),
        (&json!("withdrawn"), &json!(1))
    );
    assert_eq!(market.read(&ticket).await, withdrawn);
    assert!(market.claims.is_held(ticket_id(&ticket)), "the claim stays");
    assert!(market.claims.copy(ticket_id(&ticket)).unwrap().state.withdrawn);
    assert_eq!(market.get("/api/tickets").await.ok(200), json!([]));
    let again = withdraw(&market, &seller, &ticket).await;
    assert_eq!(
        (again.message(), &again.body["code"]),
        ((400, "Ticket is already withdrawn"), &json!("ticket_withdrawn"))
    );
    let edit = put(&market, &seller, &ticket, json!({"title": "T", "price": 2})).await;
    assert_eq!(edit.message(), (400, "Cannot edit a reserved ticket"));
    market
        .list(&seller, json!({"title": "T", "price": 1, "serialNumber": "S"}))
        .await;
    market.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn aliases_of_the_edit_validate_the_body_first() {
    let market = Market::open().await;
    let (seller, stranger) = (market.person(), market.stranger());
    let ticket = market.list_any(&seller).await;
    let update = format!("/api/tickets/update/{}", ticket["id"].as_str().unwrap());
    let in_body = |price: u32| json!({"id": ticket["id"], "title": "T", "price": price, "description": "D"});
    let ask = async |person: &Person, path: &str, body: Value| {
        market.ask(person, Method::PUT, path, Some(body)).await
    };
    let empty = ask(&stranger, "/api/tickets", json!({})).await;
    let expected = vec![
        ("id", "ID is required"),
        ("title", "Title is required"),
        ("price", "Price must be a number"),
    ];
    assert_eq!(empty.errors(), (400, expected));
    assert_eq!(ask(&stranger, &update, json!({})).await.status, 400);
    for path in ["/api/tickets", &update] {
        assert_eq!(
            ask(&stranger, path, in_body(5)).await.message(),
            (401, "Not authorized")
        );
        assert_eq!(
            ask(&market.person(), path, in_body(5)).await.message(),
            (401, "Not authorized")
        );
    }
    assert_eq!(ask(&seller, "/api/tickets", in_body(5)).await.ok(200)["price"], 5);
    assert_eq!(ask(&seller, &update, in_body(6)).await.ok(200)["price"], 6);
    market.claims.reserve(ticket_id(&ticket));
    for path in ["/api/tickets", &update] {
        assert_eq!(
            ask(&seller, path, in_body(7)).await.message(),
            (400, "Cannot edit a reserved ticket")
        );
    }
    market.close().await;
}
