//! Who may ask, and in what form.

use super::support::{Http, double, text};

#[tokio::test]
async fn without_a_key_nothing_is_answered() {
    let double = double().await;
    for header in [
        None,
        Some("Bearer sk_test_wrong"),
        Some("Bearer"),
        Some("Basic !"),
        Some("Digest x"),
    ] {
        let error = Http::new(&double)
            .authorised_by(header)
            .get("/v1/payment_intents")
            .await
            .error(401);
        assert_eq!(error["type"], "invalid_request_error", "{header:?}");
        assert!(
            !error["message"].as_str().expect("a message").contains("sk_test"),
            "keys are not echoed"
        );
    }
}

#[tokio::test]
async fn the_key_may_come_as_the_user_of_basic_authentication() {
    let double = double().await;
    // base64 of `sk_test_bigtix:`.
    let http = Http::new(&double).authorised_by(Some("Basic c2tfdGVzdF9iaWd0aXg6"));
    assert_eq!(http.get("/v1/payment_intents").await.ok()["object"], "list");
}

#[tokio::test]
async fn a_publishable_key_makes_tokens_and_methods_and_nothing_else() {
    let double = double().await;
    let shop = Http::new(&double);
    let browser = shop
        .clone()
        .authorised_by(Some(&format!("Bearer {}", double.publishable_key)));
    let card = "card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=2034&card[cvc]=123";
    let token = browser.post("/v1/tokens", card).await.ok();
    assert_eq!(
        (token["object"].as_str(), token["card"]["last4"].as_str()),
        (Some("token"), Some("4242"))
    );
    let method = browser
        .post("/v1/payment_methods", &format!("type=card&{card}"))
        .await
        .ok();
    assert_eq!(method["card"]["brand"], "visa");
    // A form of a browser has the key among its fields.
    let plain = shop.clone().authorised_by(None);
    let body = format!("key={}&{card}", double.publishable_key);
    assert_eq!(plain.post("/v1/tokens", &body).await.ok()["object"], "token");
    plain.post("/v1/tokens", card).await.error(401);
    let refused = browser.pay("pm_card_visa").await.error(403);
    assert_eq!(refused["code"], "secret_key_required");
    let id = shop.held().await;
    assert_eq!(
        browser
            .post(&format!("/v1/payment_intents/{id}/capture"), "")
            .await
            .status,
        403
    );
    assert_eq!(
        browser.get(&format!("/v1/payment_intents/{id}")).await.status,
        403
    );
    let secret = text(&shop.get(&format!("/v1/payment_intents/{id}")).await.ok()["client_secret"]);
    let seen = browser
        .get(&format!("/v1/payment_intents/{id}?client_secret={secret}"))
        .await
        .ok();
    assert_eq!(seen["status"], "requires_capture");
}

#[tokio::test]
async fn unknown_paths_objects_and_parameters_are_refused_in_stripes_shape() {
    let double = double().await;
    let http = Http::new(&double);
    assert_eq!(
        http.get("/v1/customers").await.error(404)["type"],
        "invalid_request_error"
    );
    assert_eq!(
        http.get("/elsewhere").await.error(404)["type"],
        "invalid_request_error"
    );
    assert_eq!(
        http.get("/v1/payment_intents/pi_nobody").await.error(404)["code"],
        "resource_missing"
    );
    let error = http
        .post(
            "/v1/payment_intents",
            "amount=2000&currency=usd&payment_method=pm_nobody",
        )
        .await
        .error(400);
    assert_eq!(
        (error["code"].as_str(), error["param"].as_str()),
        (Some("resource_missing"), Some("payment_method"))
    );
    let error = http
        .post("/v1/payment_intents", "amount=2000&currency=usd&colour=red")
        .await
        .error(400);
    assert_eq!(
        (error["code"].as_str(), error["param"].as_str()),
        (Some("parameter_unknown"), Some("colour"))
    );
    let error = http
        .post("/v1/payment_intents", "{\"amount\": 2000}")
        .await
        .error(400);
    assert!(text(&error["message"]).contains("form-encoded"));
    assert!(double.ledger().intents.is_empty());
}

#[tokio::test]
async fn redirects_need_a_way_back() {
    let double = double().await;
    let http = Http::new(&double);
    let form = "amount=2000&currency=usd&confirm=true&payment_method=pm_card_visa";
    assert_eq!(
        http.post("/v1/payment_intents", form).await.error(400)["param"],
        "return_url"
    );
    for more in [
        "return_url=http://shop.test/back",
        "payment_method_types[]=card",
        "automatic_payment_methods[enabled]=true&automatic_payment_methods[allow_redirects]=never",
    ] {
        let intent = http
            .post("/v1/payment_intents", &format!("{form}&{more}"))
            .await
            .ok();
        assert_eq!(intent["status"], "succeeded", "{more}");
    }
}

#[tokio::test]
async fn every_answer_names_its_request_and_may_be_read_by_pages() {
    let double = double().await;
    let http = Http::new(&double);
    let answer = http.get("/v1/payment_intents").await;
    assert!(
        answer
            .header("request-id")
            .is_some_and(|id| id.starts_with("req_"))
    );
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    let preflight = http
        .clone()
        .authorised_by(None)
        .send("OPTIONS", "/v1/tokens", None, "")
        .await
        .expect("an answer");
    assert_eq!(preflight.status, 204);
}

#[tokio::test]
async fn a_stopped_double_gives_its_address_back() {
    let double = double().await;
    let address = double.url.trim_start_matches("http://").to_owned();
    let http = Http::new(&double);
    double.stop().await;
    assert!(http.send("GET", "/v1/payment_intents", None, "").await.is_none());
    tokio::net::TcpListener::bind(address).await.expect("free again");
}
