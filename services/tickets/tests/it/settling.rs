//! Changes that were left behind.

use bigtix_testkit::Answer;
use bigtix_testkit::eventually;
use bson::doc;
use reqwest::Method;
use serde_json::{Value, json};

use crate::market::{Market, Person, ticket_id};

async fn edit(market: &Market, seller: &Person, ticket: &Value) -> Answer {
    let path = format!("/api/tickets/{}", ticket["id"].as_str().unwrap());
    market
        .ask(
            seller,
            Method::PUT,
            &path,
            Some(json!({"title": "New", "price": 30})),
        )
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_whose_release_failed_is_settled_later() {
    let market = Market::open().await;
    let seller = market.person();
    let ticket = market.list_any(&seller).await;
    let id = ticket_id(&ticket);
    market.claims.refuse_releases(true);
    let unknown = edit(&market, &seller, &ticket).await;
    assert_eq!(
        (unknown.status, &unknown.body["code"]),
        (503, &json!("outcome_unknown"))
    );
    assert!(unknown.headers.contains_key("retry-after"));
    assert_eq!(market.read(&ticket).await["title"], "New", "the edit is durable");
    assert!(market.claims.is_held(id));
    market.claims.refuse_releases(false);
    eventually("the claim to be released", async || {
        (!market.claims.is_held(id)).then_some(())
    })
    .await;
    let copy = market.claims.copy(id).unwrap();
    assert_eq!(
        (copy.version, copy.state.title.as_str()),
        (2, "New"),
        "settling raises the version"
    );
    eventually("another edit to be possible", async || {
        (edit(&market, &seller, &ticket).await.status == 200).then_some(())
    })
    .await;
    market.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_orders_is_away_nothing_changes() {
    let market = Market::open().await;
    let seller = market.person();
    let ticket = market.list_any(&seller).await;
    market.claims.refuse_claims(true);
    let away = edit(&market, &seller, &ticket).await;
    assert_eq!((away.status, &away.body["code"]), (503, &json!("unavailable")));
    assert_eq!(market.read(&ticket).await, ticket);
    market.claims.refuse_claims(false);
    let edited = edit(&market, &seller, &ticket).await.ok(200);
    assert_eq!(
        edited["title"], "New",
        "it waits until what was left behind is settled"
    );
    market.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_was_settled_by_somebody_else_cannot_write_any_more() {
    let market = Market::open().await;
    let seller = market.person();
    let ticket = market.list_any(&seller).await;
    let (mongo, claims, id) = (market.mongo().await, market.claims.clone(), ticket_id(&ticket));
    market.claims.after_next_claim(Box::new(move |claim| {
        Box::pin(async move {
            let object_id = |bytes: [u8; 12]| bson::oid::ObjectId::from_bytes(bytes);
            let fence = doc! {"$inc": {"version": 1_i64}};
            mongo
                .collection("tickets")
                .update_one(doc! {"_id": object_id(id.bytes())}, fence)
                .await
                .unwrap();
            claims.let_go(&claim);
            mongo
                .collection("intents")
                .delete_one(doc! {"_id": object_id(claim.claim_id.bytes())})
                .await
                .unwrap();
            assert!(claims.reserve(id), "somebody buys the ticket");
        })
    }));
    assert_eq!(
        edit(&market, &seller, &ticket).await.message(),
        (400, "Cannot edit a reserved ticket")
    );
    assert_eq!(market.read(&ticket).await["title"], ticket["title"]);
    market.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_that_was_left_behind_stays_a_withdrawal() {
    let market = Market::open().await;
    let seller = market.person();
    let ticket = market.list_any(&seller).await;
    market.claims.refuse_releases(true);
    let path = format!("/api/tickets/{}", ticket["id"].as_str().unwrap());
    assert_eq!(market.ask(&seller, Method::DELETE, &path, None).await.status, 503);
    market.claims.refuse_releases(false);
    let id = ticket_id(&ticket);
    let copy = eventually("orders to know of it", async || market.claims.copy(id)).await;
    assert!(copy.state.withdrawn);
    assert!(market.claims.is_held(id));
    assert_eq!(market.read(&ticket).await["version"], 1);
    market.close().await;
}
