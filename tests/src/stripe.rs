//! What a buyer's browser does at Stripe, what Stripe knows, and what Stripe signs.

use bigtix_contracts::{Cents, OrderId};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{Answer, Ask, Shop};

/// Any publishable key will do for the double.
const PUBLISHABLE_KEY: &str = "pk_test_bigtix";
const SECRET_KEY: &str = "sk_test_bigtix";

/// A card, by what happens when it is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Card {
    /// The bank pays.
    Good,
    /// The bank refuses.
    Declined,
    /// The bank asks the buyer first (3-D Secure), then pays.
    Asks,
}

impl Card {
    const fn number(self) -> &'static str {
        match self {
            Self::Good => "4242424242424242",
            Self::Declined => "4000000000000341",
            Self::Asks => "4000002500003155",
        }
    }
}

/// A card token (`tok_`), as Stripe's script makes one in a browser, with the publishable key alone.
pub async fn card_token(shop: &Shop, card: Card) -> String {
    let number = card.number();
    let form = format!(
        "key={PUBLISHABLE_KEY}&card[number]={number}&card[exp_month]=12&card[exp_year]=2034&card[cvc]=123"
    );
    let made = stripe(shop, Method::POST, "/v1/tokens")
        .body("application/x-www-form-urlencoded", form)
        .await;
    made.is(200).string("/id")
}

/// A payment method (`pm_`).
pub async fn payment_method(shop: &Shop, card: Card) -> String {
    let number = card.number();
    let form =
        format!("type=card&card[number]={number}&card[exp_month]=12&card[exp_year]=2034&card[cvc]=123");
    let made = with_secret_key(stripe(shop, Method::POST, "/v1/payment_methods"))
        .body("application/x-www-form-urlencoded", form)
        .await;
    made.is(200).string("/id")
}

/// The buyer's answer to the bank's question, as Stripe's script brings it back.
pub async fn answer_the_bank(shop: &Shop, client_secret: &str, yes: bool) -> Answer {
    let intent = client_secret.split("_secret").next().unwrap_or_default();
    let body = json!({"key": PUBLISHABLE_KEY, "client_secret": client_secret, "success": yes});
    stripe(
        shop,
        Method::POST,
        &format!("/v1/payment_intents/{intent}/_authenticate"),
    )
    .json(body)
    .await
}

/// What Stripe's books say about a payment: whether it was captured, how much of it, and how much went back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charged {
    /// The intent's status in Stripe's words.
    pub status: String,
    /// What was asked for.
    pub amount: Cents,
    /// What was given back.
    pub refunded: Cents,
}

/// Looks a payment up in Stripe's books.
pub async fn look_up(shop: &Shop, intent: &str) -> Charged {
    let found = with_secret_key(stripe(
        shop,
        Method::GET,
        &format!("/v1/payment_intents/{intent}"),
    ));
    charged(&found.await.is(200).json)
}

/// What Stripe's books say about every payment for an order.
pub async fn charged_for(shop: &Shop, order: OrderId) -> Vec<Charged> {
    let list = with_secret_key(stripe(shop, Method::GET, "/v1/payment_intents?limit=100"));
    let list = list.await.is(200).json;
    let intents = list["data"].as_array().into_iter().flatten();
    let own = intents.filter(|intent| intent["metadata"]["orderId"] == json!(order));
    own.map(charged).collect()
}

fn charged(intent: &Value) -> Charged {
    let refunded = intent.pointer("/charges/data/0/amount_refunded");
    Charged {
        status: intent["status"].as_str().unwrap_or_default().to_owned(),
        amount: Cents(intent["amount"].as_i64().unwrap_or_default()),
        refunded: Cents(refunded.and_then(Value::as_i64).unwrap_or_default()),
    }
}

fn stripe(shop: &Shop, method: Method, path: &str) -> Ask {
    Ask::new(method, format!("{}{path}", shop.stripe().url)).elsewhere()
}

fn with_secret_key(ask: Ask) -> Ask {
    ask.header("authorization", &format!("Bearer {SECRET_KEY}"))
}

/// The `Stripe-Signature` of a webhook's body, signed at this time (seconds since 1970).
pub fn signature(secret: &str, at: i64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length will do");
    mac.update(format!("{at}.{body}").as_bytes());
    format!("t={at},v1={}", hex::encode(mac.finalize().into_bytes()))
}
