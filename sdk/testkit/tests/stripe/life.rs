//! The life of a payment over HTTP.

use serde_json::Value;

use super::support::{double_and_http, status, text};

#[tokio::test]
async fn a_payment_is_authorised_captured_and_refunded() {
    let (_double, http) = double_and_http().await;
    let intent = http.pay("pm_card_visa").await.ok();
    assert_eq!(status(&intent), "requires_capture");
    assert_eq!(
        (&intent["amount_capturable"], &intent["amount_received"]),
        (&2000.into(), &0.into())
    );
    let id = text(&intent["id"]);
    let intent = http
        .post(
            &format!("/v1/payment_intents/{id}/capture?"),
            "expand[]=latest_charge",
        )
        .await
        .ok();
    assert_eq!(
        (status(&intent).as_str(), &intent["amount_received"]),
        ("succeeded", &2000.into())
    );
    let charge = &intent["latest_charge"];
    assert_eq!(
        (charge["captured"].as_bool(), charge["amount_captured"].as_i64()),
        (Some(true), Some(2000))
    );
    let refund = http
        .post("/v1/refunds", &format!("payment_intent={id}&amount=500"))
        .await
        .ok();
    assert_eq!(
        (refund["status"].as_str(), refund["amount"].as_i64()),
        (Some("succeeded"), Some(500))
    );
    let rest = http
        .post("/v1/refunds", &format!("charge={}", text(&charge["id"])))
        .await
        .ok();
    assert_eq!(rest["amount"], 1500);
    let again = http
        .post("/v1/refunds", &format!("payment_intent={id}"))
        .await
        .error(400);
    assert_eq!(again["code"], "charge_already_refunded");
    let charge = http
        .get(&format!("/v1/charges/{}", text(&charge["id"])))
        .await
        .ok();
    assert_eq!(
        (charge["refunded"].as_bool(), charge["amount_refunded"].as_i64()),
        (Some(true), Some(2000))
    );
    let refunds = http.get(&format!("/v1/refunds?payment_intent={id}")).await.ok();
    let amounts: Vec<_> = refunds["data"]
        .as_array()
        .expect("data")
        .iter()
        .map(|it| it["amount"].clone())
        .collect();
    assert_eq!(amounts, [1500, 500], "newest first");
}

#[tokio::test]
async fn a_partial_capture_gives_the_rest_back_and_an_excessive_one_is_refused() {
    let (double, http) = double_and_http().await;
    let id = http.held().await;
    let over = http
        .post(
            &format!("/v1/payment_intents/{id}/capture"),
            "amount_to_capture=2001",
        )
        .await
        .error(400);
    assert_eq!(over["code"], "amount_too_large");
    let intent = http
        .post(
            &format!("/v1/payment_intents/{id}/capture"),
            "amount_to_capture=1500",
        )
        .await
        .ok();
    assert_eq!(
        (&intent["amount_received"], &intent["amount_capturable"]),
        (&1500.into(), &0.into())
    );
    let over = http
        .post("/v1/refunds", &format!("payment_intent={id}&amount=1501"))
        .await
        .error(400);
    assert_eq!(over["param"], "amount");
    let ledger = double.ledger();
    let entry = ledger.get(&id).expect("an entry");
    assert_eq!(
        (entry.authorised, entry.captured, entry.released, entry.refunded),
        (2000, 1500, 500, 0)
    );
}

#[tokio::test]
async fn every_declining_card_says_why() {
    let (double, http) = double_and_http().await;
    for (card, code, decline_code) in [
        ("pm_card_chargeDeclined", "card_declined", Some("generic_decline")),
        (
            "pm_card_visa_chargeDeclined",
            "card_declined",
            Some("generic_decline"),
        ),
        (
            "pm_card_visa_chargeDeclinedInsufficientFunds",
            "card_declined",
            Some("insufficient_funds"),
        ),
        (
            "pm_card_visa_chargeDeclinedLostCard",
            "card_declined",
            Some("lost_card"),
        ),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", None),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", None),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", None),
    ] {
        let error = http.pay(card).await.error(402);
        assert_eq!(error["type"], "card_error", "{card}");
        assert_eq!(
            (error["code"].as_str(), error["decline_code"].as_str()),
            (Some(code), decline_code),
            "{card}"
        );
        let intent = &error["payment_intent"];
        assert_eq!(status(intent), "requires_payment_method");
        assert_eq!(intent["last_payment_error"]["code"], code);
        assert_eq!(
            (&intent["payment_method"], &error["charge"]),
            (&Value::Null, &intent["latest_charge"])
        );
        let charge = http
            .get(&format!("/v1/charges/{}", text(&error["charge"])))
            .await
            .ok();
        assert_eq!(
            (charge["status"].as_str(), charge["failure_code"].as_str()),
            (Some("failed"), Some(code))
        );
    }
    assert!(double.ledger().intents.iter().all(|entry| entry.authorised == 0));
}

#[tokio::test]
async fn a_declined_payment_can_be_tried_again_with_another_card() {
    let (_double, http) = double_and_http().await;
    let id = text(&http.pay("pm_card_chargeDeclined").await.error(402)["payment_intent"]["id"]);
    let bare = http
        .post(&format!("/v1/payment_intents/{id}/confirm"), "")
        .await
        .error(400);
    assert_eq!(bare["code"], "payment_intent_unexpected_state");
    let intent = http
        .post(
            &format!("/v1/payment_intents/{id}/confirm"),
            "payment_method=pm_card_visa",
        )
        .await
        .ok();
    assert_eq!(
        (status(&intent).as_str(), &intent["last_payment_error"]),
        ("requires_capture", &Value::Null)
    );
}

#[tokio::test]
async fn a_canceled_payment_is_over() {
    let (double, http) = double_and_http().await;
    let id = http.held().await;
    let form = "cancellation_reason=abandoned";
    let intent = http
        .post(&format!("/v1/payment_intents/{id}/cancel"), form)
        .await
        .ok();
    assert_eq!(
        (status(&intent).as_str(), intent["cancellation_reason"].as_str()),
        ("canceled", Some("abandoned"))
    );
    assert!(intent["canceled_at"].is_i64());
    for (call, form) in [
        ("capture", ""),
        ("cancel", ""),
        ("confirm", "payment_method=pm_card_visa"),
    ] {
        let error = http
            .post(&format!("/v1/payment_intents/{id}/{call}"), form)
            .await
            .error(400);
        assert_eq!(error["code"], "payment_intent_unexpected_state", "{call}");
        assert_eq!(status(&error["payment_intent"]), "canceled");
    }
    assert_eq!(
        http.post("/v1/refunds", &format!("payment_intent={id}"))
            .await
            .status,
        400
    );
    assert_eq!(double.ledger().held(), 0);
    let lapsed = http.held().await;
    double.lapse(&lapsed).expect("something is on hold");
    let intent = http.get(&format!("/v1/payment_intents/{lapsed}")).await.ok();
    assert_eq!(
        (status(&intent).as_str(), intent["cancellation_reason"].as_str()),
        ("canceled", Some("expired"))
    );
}

#[tokio::test]
async fn a_payment_can_stay_processing() {
    let (double, http) = double_and_http().await;
    let intent = http.pay("pm_card_visa_processing").await.ok();
    assert_eq!(status(&intent), "processing");
    let id = text(&intent["id"]);
    assert_eq!(
        http.post(&format!("/v1/payment_intents/{id}/cancel"), "")
            .await
            .status,
        400
    );
    double.settle(&id, true).expect("it is processing");
    let settled = http.get(&format!("/v1/payment_intents/{id}")).await.ok();
    assert_eq!(status(&settled), "requires_capture");
    assert_eq!(
        settled["latest_charge"], intent["latest_charge"],
        "one visit to the bank"
    );
}

#[tokio::test]
async fn a_payment_can_be_made_step_by_step() {
    let (_double, http) = double_and_http().await;
    let form = "amount=2000&currency=usd&payment_method_types[]=card&metadata[a]=1&metadata[b]=2&description=tickets";
    let intent = http.post("/v1/payment_intents", form).await.ok();
    assert_eq!(status(&intent), "requires_payment_method");
    let path = format!("/v1/payment_intents/{}", text(&intent["id"]));
    let update =
        "metadata[b]=&metadata[c]=3&payment_method_data[type]=card&payment_method_data[card][token]=tok_visa";
    let intent = http.post(&path, update).await.ok();
    assert_eq!(status(&intent), "requires_confirmation");
    assert_eq!(intent["metadata"], serde_json::json!({ "a": "1", "c": "3" }));
    assert_eq!(intent["description"], "tickets");
    assert_eq!(http.post(&path, "amount=2500").await.ok()["amount"], 2500);
    let intent = http.post(&format!("{path}/confirm"), "").await.ok();
    assert_eq!(
        (status(&intent).as_str(), &intent["amount_received"]),
        ("succeeded", &2500.into())
    );
    assert_eq!(
        http.post(&path, "amount=2600").await.status,
        400,
        "nothing to amend any more"
    );
    assert_eq!(
        http.post(&path, "metadata=").await.ok()["metadata"],
        serde_json::json!({})
    );
}

#[tokio::test]
async fn tokens_and_confirmation_tokens_pay_once() {
    let (_double, http) = double_and_http().await;
    let form = "payment_method=pm_card_visa&return_url=http://shop.test/back";
    let token = http.post("/v1/test_helpers/confirmation_tokens", form).await.ok();
    assert_eq!(token["payment_method_preview"]["card"]["last4"], "4242");
    let id = text(&token["id"]);
    let pay = format!("amount=2000&currency=usd&confirm=true&confirmation_token={id}");
    let intent = http.post("/v1/payment_intents", &pay).await.ok();
    assert_eq!(status(&intent), "succeeded", "its return_url counts");
    let token = http.get(&format!("/v1/confirmation_tokens/{id}")).await.ok();
    assert_eq!(token["payment_intent"], intent["id"]);
    assert_eq!(
        http.post("/v1/payment_intents", &pay).await.error(400)["param"],
        "confirmation_token"
    );

    let card = "card[number]=4000000000009995&card[exp_month]=12&card[exp_year]=34";
    let token = text(&http.post("/v1/tokens", card).await.ok()["id"]);
    let data = format!("payment_method_data[type]=card&payment_method_data[card][token]={token}");
    let pay = format!("amount=2000&currency=usd&confirm=true&payment_method_types[]=card&{data}");
    assert_eq!(
        http.post("/v1/payment_intents", &pay).await.error(402)["decline_code"],
        "insufficient_funds"
    );
    assert_eq!(
        http.post("/v1/payment_intents", &pay).await.error(400)["code"],
        "token_already_used"
    );
    assert_eq!(http.get(&format!("/v1/tokens/{token}")).await.ok()["used"], true);

    let method = text(
        &http
            .post("/v1/payment_methods", "type=card&card[token]=tok_visa")
            .await
            .ok()["id"],
    );
    assert_eq!(status(&http.pay(&method).await.ok()), "requires_capture");
    assert_eq!(
        http.pay(&method).await.error(400)["code"],
        "payment_method_unexpected_state"
    );
    assert_eq!(
        http.get(&format!("/v1/payment_methods/{method}")).await.ok()["type"],
        "card"
    );
}

#[tokio::test]
async fn a_list_is_newest_first_and_goes_on_where_it_stopped() {
    let (_double, http) = double_and_http().await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(http.held().await);
    }
    ids.reverse();
    let mut seen = Vec::new();
    let mut path = "/v1/payment_intents?limit=2&created[gte]=0".to_owned();
    loop {
        let page = http.get(&path).await.ok();
        seen.extend(
            page["data"]
                .as_array()
                .expect("data")
                .iter()
                .map(|intent| text(&intent["id"])),
        );
        if page["has_more"] == false {
            break;
        }
        path = format!(
            "/v1/payment_intents?limit=2&created[gte]=0&starting_after={}",
            seen[seen.len() - 1]
        );
    }
    assert_eq!(seen, ids);
    let future = http
        .get("/v1/payment_intents?created[gte]=99999999999")
        .await
        .ok();
    assert_eq!(future["data"], serde_json::json!([]));
    let before = http
        .get(&format!("/v1/payment_intents?limit=2&ending_before={}", ids[3]))
        .await
        .ok();
    let before: Vec<_> = before["data"]
        .as_array()
        .expect("data")
        .iter()
        .map(|it| text(&it["id"]))
        .collect();
    assert_eq!(before, ids[1..3]);
}

#[tokio::test]
async fn refunds_can_take_their_time() {
    let (double, http) = double_and_http().await;
    for (card, first, arrives, last, kept) in [
        ("pm_card_pendingRefund", "pending", true, "succeeded", 0),
        ("pm_card_pendingRefund", "pending", false, "failed", 2000),
        ("pm_card_refundFail", "succeeded", false, "failed", 2000),
    ] {
        let id = text(&http.pay(card).await.ok()["id"]);
        http.post(&format!("/v1/payment_intents/{id}/capture"), "")
            .await
            .ok();
        let refund = http
            .post("/v1/refunds", &format!("payment_intent={id}"))
            .await
            .ok();
        assert_eq!(status(&refund), first, "{card}");
        let refund = text(&refund["id"]);
        double.settle_refund(&refund, arrives).expect("open");
        assert_eq!(
            status(&http.get(&format!("/v1/refunds/{refund}")).await.ok()),
            last,
            "{card}"
        );
        assert_eq!(double.ledger().get(&id).expect("an entry").kept(), kept, "{card}");
        assert!(double.settle_refund(&refund, arrives).is_err(), "settled");
    }
}
