//! 3-D Secure: the buyer's bank asks the buyer.

use serde_json::Value;

use super::support::{double_and_http, payment, status, text};

#[tokio::test]
async fn three_d_secure_waits_for_the_buyers_bank() {
    let (double, http) = double_and_http().await;
    for card in ["pm_card_threeDSecure2Required", "pm_card_authenticationRequired"] {
        let intent = http.pay(card).await.ok();
        assert_eq!(
            (status(&intent).as_str(), &intent["amount_capturable"]),
            ("requires_action", &0.into())
        );
        assert_eq!(intent["next_action"]["type"], "use_stripe_sdk");
        let id = text(&intent["id"]);
        let early = http
            .post(&format!("/v1/payment_intents/{id}/capture"), "")
            .await
            .error(400);
        assert_eq!(early["code"], "payment_intent_unexpected_state");
        let path = format!("/_double/payment_intents/{id}/authenticate");
        let intent = http.post(&path, "{\"success\": true}").await.ok();
        assert_eq!(
            (status(&intent).as_str(), &intent["next_action"]),
            ("requires_capture", &Value::Null)
        );
        assert_eq!(
            http.post(&path, "{\"success\": true}").await.status,
            400,
            "it waits for nothing any more"
        );
    }
    let id = text(&http.pay("pm_card_threeDSecure2Required").await.ok()["id"]);
    double.authenticate(&id, false).expect("it waits");
    let intent = http.get(&format!("/v1/payment_intents/{id}")).await.ok();
    assert_eq!(status(&intent), "requires_payment_method");
    assert_eq!(
        intent["last_payment_error"]["code"],
        "payment_intent_authentication_failure"
    );
}

#[tokio::test]
async fn the_bank_may_still_decline_after_three_d_secure() {
    let (double, http) = double_and_http().await;
    let id = text(&http.pay("pm_card_threeDSecureRequiredChargeDeclined").await.ok()["id"]);
    double.authenticate(&id, true).expect("it waits");
    let intent = http.get(&format!("/v1/payment_intents/{id}")).await.ok();
    assert_eq!(intent["last_payment_error"]["decline_code"], "generic_decline");
}

#[tokio::test]
async fn a_shop_can_rule_three_d_secure_out() {
    let (_double, http) = double_and_http().await;
    for flag in ["error_on_requires_action=true", "off_session=true"] {
        let form = format!("{}&{flag}", payment("pm_card_authenticationRequired"));
        let error = http.post("/v1/payment_intents", &form).await.error(402);
        assert_eq!(error["code"], "authentication_required", "{flag}");
    }
}

#[tokio::test]
async fn the_page_of_the_bank_sends_the_buyer_back() {
    let (double, http) = double_and_http().await;
    let form = format!(
        "{}&return_url=http://shop.test/back?a=1",
        payment("pm_card_threeDSecure2Required")
    );
    let intent = http.post("/v1/payment_intents", &form).await.ok();
    let url = text(&intent["next_action"]["redirect_to_url"]["url"]);
    let page = url.strip_prefix(&double.url).expect("the double's own page");
    assert!(http.get(page).await.text.contains("Complete authentication"));
    let answer = http.post(page, "success=true").await;
    assert_eq!(answer.status, 303);
    let back = answer.header("location").expect("a location").to_owned();
    assert!(
        back.starts_with("http://shop.test/back?a=1&payment_intent=pi_"),
        "{back}"
    );
    assert!(back.ends_with("redirect_status=succeeded"), "{back}");
    assert!(http.get(page).await.text.contains("nothing to confirm"));
}
