//! What is measured, and what must hold afterwards.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::Plan;
use super::load::{Outcome, fresh, in_parallel, send_each};
use super::report::Figure;
use super::shop::BenchShop;
use super::wire::{Connection, Request};

/// More reservations than can be made in the time.
const RESERVATIONS_PER_SECOND: usize = 12_000;
const PAYMENTS_PER_SECOND: usize = 600;

fn for_seconds(plan: &Plan, rate: usize) -> usize {
    rate * usize::try_from(plan.duration.as_secs().max(1)).unwrap_or(1)
}

fn reserve(token: &str, ticket: &str) -> Request {
    Request::post("/api/orders", token, &json!({"ticketId": ticket}).to_string())
}

/// Everybody wants another ticket of one event.
pub(super) async fn reserve_hot(shop: &BenchShop, plan: &Plan, bare: f64) -> Result<Figure> {
    let count = for_seconds(plan, RESERVATIONS_PER_SECOND);
    let (_, tickets) = shop.list(count).await?;
    let tokens = shop.tokens(count)?;
    let requests = tickets
        .iter()
        .zip(&tokens)
        .map(|(ticket, token)| reserve(token, ticket))
        .collect();
    let outcome = send_each(
        shop.address(),
        plan.clients,
        plan.duration,
        Arc::new(requests),
        false,
    )
    .await?;
    ensure!(
        outcome.statuses.keys().all(|status| *status == 201),
        "not only 201: {:?}",
        outcome.statuses
    );
    read_back(shop, &outcome, &tokens, &tickets).await?;
    Ok(Figure::rate(outcome.rate(201), bare, &outcome.micros))
}

/// Every order that was answered is there, on a ticket of its own; a sample of them is read back by its buyer.
async fn read_back(shop: &BenchShop, outcome: &Outcome, tokens: &[String], tickets: &[String]) -> Result<()> {
    let mut sold = HashSet::new();
    let mut connection = Connection::open(shop.address()).await?;
    for body in &outcome.bodies {
        let order: Value = serde_json::from_slice(body)?;
        let ticket = order["ticket"]["id"]
            .as_str()
            .context("an order without ticket")?
            .to_owned();
        let buyer = tickets
            .iter()
            .position(|id| *id == ticket)
            .filter(|_| sold.len() % 97 == 0);
        ensure!(sold.insert(ticket), "a ticket was sold twice");
        if let Some(token) = buyer.and_then(|index| tokens.get(index)) {
            let path = format!("/api/orders/{}", order["id"].as_str().unwrap_or_default());
            let answer = connection.ask(&Request::get(&path, Some(token))).await?;
            ensure!(
                answer.status == 200 && answer.body == *body,
                "an order that was answered reads otherwise"
            );
        }
    }
    Ok(())
}

/// Everybody wants one ticket that is taken.
pub(super) async fn refuse(shop: &BenchShop, plan: &Plan, bare: f64) -> Result<Figure> {
    let (_, tickets) = shop.list(1).await?;
    let ticket = tickets.first().context("no ticket")?;
    shop.ask(&reserve(&shop.token()?, ticket), 201).await?;
    let tokens = shop.tokens(1000)?;
    let requests = tokens.iter().map(|token| reserve(token, ticket)).collect();
    let outcome = send_each(
        shop.address(),
        plan.clients,
        plan.duration,
        Arc::new(requests),
        true,
    )
    .await?;
    ensure!(
        outcome.statuses.keys().all(|status| *status == 400),
        "not only 400: {:?}",
        outcome.statuses
    );
    Ok(Figure::rate(outcome.rate(400), bare, &outcome.micros))
}

/// One ticket is read.
pub(super) async fn ticket_get(shop: &BenchShop, plan: &Plan, echo: f64) -> Result<Figure> {
    let (_, tickets) = shop.list(1000).await?;
    let requests = tickets
        .iter()
        .map(|id| Request::get(&format!("/api/tickets/{id}"), None))
        .collect();
    let outcome = send_each(
        shop.address(),
        plan.clients,
        plan.duration,
        Arc::new(requests),
        true,
    )
    .await?;
    ensure!(
        outcome.statuses.keys().all(|status| *status == 200),
        "not only 200: {:?}",
        outcome.statuses
    );
    Ok(Figure::rate(outcome.rate(200), echo, &outcome.micros))
}

/// From an order to one that is paid and complete, the Stripe double included.
pub(super) async fn complete(shop: &BenchShop, plan: &Plan, bare: f64) -> Result<Figure> {
    let count = for_seconds(plan, PAYMENTS_PER_SECOND);
    let (_, tickets) = shop.list(count).await?;
    let pairs: Arc<Vec<(String, String)>> = Arc::new(tickets.into_iter().zip(shop.tokens(count)?).collect());
    let (next, address, duration) = (
        Arc::new(AtomicUsize::new(0)),
        shop.address().to_owned(),
        plan.duration,
    );
    let outcome = in_parallel(plan.clients.min(16), |_| {
        let (next, address, pairs) = (next.clone(), address.clone(), pairs.clone());
        async move {
            let mut outcome = fresh()?;
            let mut connection = Connection::open(&address).await?;
            let began = Instant::now();
            while began.elapsed() < duration {
                let Some((ticket, token)) = pairs.get(next.fetch_add(1, Ordering::Relaxed)) else {
                    break;
                };
                let asked = Instant::now();
                let order: Value =
                    serde_json::from_slice(&connection.ask(&reserve(token, ticket)).await?.body)?;
                let pay = json!({"orderId": order["id"], "token": "pm_card_visa"});
                let answer = connection
                    .ask(&Request::post("/api/payments", token, &pay.to_string()))
                    .await?;
                outcome.note(asked, answer)?;
            }
            outcome.took = began.elapsed();
            Ok(outcome)
        }
    })
    .await?;
    ensure!(
        outcome.statuses.keys().all(|status| *status == 201),
        "not only 201: {:?}",
        outcome.statuses
    );
    for body in &outcome.bodies {
        let payment: Value = serde_json::from_slice(body)?;
        ensure!(
            payment["status"] == "succeeded",
            "a payment did not succeed: {payment}"
        );
    }
    Ok(Figure::rate(outcome.rate(201), bare, &outcome.micros))
}
