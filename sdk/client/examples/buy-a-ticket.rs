//! Sells and buys a ticket in a running shop: `cargo run --package bigtix-client --example buy-a-ticket`
//!
//! * `BIGTIX_URL`: where the shop is (default `http://localhost:8080`)
//! * `BIGTIX_STRIPE`: where its Stripe double is, as `stripe.url` in `run.json` of the shop's data folder says

use std::env;
use std::error::Error;
use std::time::{SystemTime, UNIX_EPOCH};

use bigtix_client::{Client, NewOrder, NewTicket};
use bigtix_contracts::api::orders::StatusWord;
use bigtix_contracts::{Cents, ErrorCode};
use reqwest::header::CONTENT_TYPE;
use serde::Deserialize;

const PASSWORD: &str = "Tickets-4-all";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = env::var("BIGTIX_URL").unwrap_or_else(|_| "http://localhost:8080".to_owned());
    let stripe = env::var("BIGTIX_STRIPE")
        .map_err(|_| "BIGTIX_STRIPE is needed: a card is shown to Stripe, never to the shop")?;
    let tag = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();

    let shop = Client::new(&url);
    let session = shop
        .sign_up(&format!("seller-{tag}@example.test"), PASSWORD)
        .await?;
    let seller = shop.signed_in(session.token);
    let session = shop
        .sign_up(&format!("buyer-{tag}@example.test"), PASSWORD)
        .await?;
    let buyer = shop.signed_in(session.token);

    let ticket = seller
        .list_ticket(&NewTicket::new(format!("Row F ({tag})"), Cents(19_99)))
        .await?;
    println!("listed {} at ${}", ticket.title, ticket.price.0);

    // The same key and the same body: one order, however often it is asked for.
    let wanted = NewOrder::ticket(ticket.id);
    let key = format!("order-{tag}");
    let order = buyer.place_order(&wanted).idempotency_key(&key).await?;
    let again = buyer.place_order(&wanted).idempotency_key(&key).await?;
    assert_eq!(order.id, again.id, "a key has one effect");
    println!("reserved with order {} until {}", order.id, order.expires_at);

    match buyer.place_order(&wanted).await {
        Err(refused) if refused.code() == Some(ErrorCode::TicketReserved) => {
            println!("a second order is refused: {refused}");
        }
        Err(other) => return Err(other.into()),
        Ok(_) => return Err("the ticket was reserved twice".into()),
    }

    let token = card(&stripe).await?;
    let payment = buyer
        .pay(order.id, &token)
        .idempotency_key(format!("pay-{tag}"))
        .await?;
    assert!(
        payment.success,
        "a payment that is answered 201 and needs no bank"
    );
    let order = buyer.order(order.id).await?;
    assert_eq!(order.status, StatusWord::Complete);
    println!("paid ${}: the order is complete", payment.amount.0);
    Ok(())
}

/// What Stripe's script does in the buyer's browser.
async fn card(stripe: &str) -> Result<String, Box<dyn Error>> {
    #[derive(Deserialize)]
    struct Shown {
        id: String,
    }
    let body = "key=pk_test_bigtix&card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=2034&card[cvc]=123";
    let answer = reqwest::Client::new()
        .post(format!("{stripe}/v1/tokens"))
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(body)
        .send()
        .await?;
    let Shown { id } = answer.error_for_status()?.json().await?;
    Ok(id)
}
