//! Against localstripe: a Stripe double that somebody else wrote, and the one that serves a shop on one machine.

use bigtix_contracts::OrderId;
use bigtix_contracts::events::OrderStatus;
use bigtix_testkit::stores::{Stores, StoresConfig};
use serde_json::{Value, json};

use crate::world::World;

const KEY: &str = "sk_test_localstripe";
const SECRET: &str = "whsec_localstripe";

/// localstripe's API.
struct Localstripe {
    url: String,
    http: reqwest::Client,
}

impl Localstripe {
    async fn ask(&self, request: reqwest::RequestBuilder) -> Value {
        let answer = request.bearer_auth(KEY).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{status} {text}");
        serde_json::from_str(&text).unwrap()
    }

    async fn post(&self, path: &str, form: &str) -> Value {
        let form = self
            .http
            .post(format!("{}{path}", self.url))
            .body(form.to_owned());
        self.ask(form.header("content-type", "application/x-www-form-urlencoded"))
            .await
    }

    async fn token(&self, number: &str) -> String {
        let card = format!("card[number]={number}&card[exp_month]=12&card[exp_year]=2035&card[cvc]=123");
        self.post("/v1/tokens", &card).await["id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    async fn method(&self, number: &str) -> String {
        let card =
            format!("type=card&card[number]={number}&card[exp_month]=12&card[exp_year]=2035&card[cvc]=123");
        self.post("/v1/payment_methods", &card).await["id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// The status and the amount taken of each intent of the order.
    async fn intents(&self, order: OrderId) -> Vec<(String, i64)> {
        let list = self
            .ask(
                self.http
                    .get(format!("{}/v1/payment_intents?limit=100", self.url)),
            )
            .await;
        let own = list["data"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|it| it["metadata"]["orderId"] == json!(order));
        own.map(|it| {
            (
                it["status"].as_str().unwrap().to_owned(),
                it["amount"].as_i64().unwrap(),
            )
        })
        .collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shop_of_one_machine_takes_declines_authenticates_and_refunds() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = StoresConfig::new(dir.path(), ["payments"]);
    config.stripe = true;
    let stores = Stores::start(config).await.unwrap();
    let mut world = World::new().await;
    let stripe = Localstripe {
        url: stores.stripe_url().unwrap(),
        http: reqwest::Client::new(),
    };
    world.set("STRIPE_API_URL", &stripe.url);
    world.set("STRIPE_SECRET_KEY", KEY);
    world.set("STRIPE_WEBHOOK_SECRET", SECRET);
    let service = world.start().await;
    stores
        .register_stripe_webhook(&format!("{}/api/webhooks/stripe", service.url), SECRET)
        .await
        .unwrap();

    let (by_token, by_method) = (world.order(), world.order());
    for (order, source) in [
        (by_token, stripe.token("4242424242424242").await),
        (by_method, stripe.method("4242424242424242").await),
    ] {
        let paid = world.pay(&service, order, &source).await.expect(201);
        assert_eq!(paid.text("status"), "succeeded");
        assert_eq!(world.orders.status(order), OrderStatus::Complete);
        assert_eq!(stripe.intents(order).await, [("succeeded".to_owned(), 1999)]);
    }

    for unknown in ["tok_nobody", "pm_nobody"] {
        let refused = world.pay(&service, world.order(), unknown).await.expect(400);
        assert_eq!(
            refused.body["errors"][0]["message"], "Token is invalid",
            "{unknown}"
        );
    }

    let declined = world.order();
    let refused = world
        .pay(&service, declined, &stripe.method("4000000000000341").await)
        .await
        .expect(402);
    assert_eq!(
        (refused.message(), refused.code()),
        ("Your card was declined.", "card_declined")
    );
    world
        .pay(&service, declined, &stripe.method("4242424242424242").await)
        .await
        .expect(201);

    let asked = world.order();
    let challenged = world
        .pay(&service, asked, &stripe.method("4000002500003155").await)
        .await
        .expect(201);
    let (intent, secret) = (challenged.text("stripeId"), challenged.text("clientSecret"));
    let form = format!("client_secret={secret}&success=true");
    stripe
        .post(&format!("/v1/payment_intents/{intent}/_authenticate"), &form)
        .await;
    assert_eq!(
        world.proceed(&service, asked).await.expect(201).text("status"),
        "succeeded"
    );

    let refund = world.post(
        &service,
        &format!("/api/payments/{by_token}/refund"),
        world.seller,
    );
    assert_eq!(world.send(refund).await.expect(201).text("status"), "refunded");
    assert_eq!(world.orders.status(by_token), OrderStatus::Refunded);
    service.kill();
    stores.stop().await;
}
