//! What an order's page shows.

use askama::Template;
use axum::http::{StatusCode, header};
use axum::response::Response;
use bigtix_contracts::OrderId;
use bigtix_contracts::api::orders::{Order, OrderedTicket};
use bigtix_contracts::api::payments::Payment;
use bigtix_contracts::api::tickets::Event;
use jiff::Timestamp;

use super::{events, read};
use crate::App;
use crate::failure::Failure;
use crate::forms::{Errors, new_key};
use crate::pages::Occasion;
use crate::pages::states::State;
use crate::session::Visitor;
use crate::shell::{Shell, html};
use crate::site::CardScript;
use crate::view::code::{DoorCode, door_code};
use crate::view::time::{When, countdown, when};

/// Seconds after which a browser without scripts looks again whether a payment is decided.
const LOOK_AGAIN: u32 = 3;

/// Payment methods of Stripe's test mode, which every stand-in for Stripe knows.
const TEST_CARDS: [(&str, &str); 2] = [
    ("pm_card_visa", "Visa ending in 4242, which pays"),
    (
        "pm_card_chargeCustomerFail",
        "Visa ending in 0341, which is declined",
    ),
];

/// What came of a form that was sent to the page.
#[derive(Default)]
pub(super) struct Answer {
    pub(super) errors: Errors,
    /// Why the card was declined.
    pub(super) declined: Option<String>,
}

struct Line {
    title: String,
    serial: String,
    price: String,
    event: Option<Occasion>,
}

struct OrderView {
    id: OrderId,
    lines: Vec<Line>,
    total: String,
    cents: i64,
    expires_at: Timestamp,
    until: When,
}

struct Admission<'a> {
    line: &'a Line,
    code: DoorCode,
}

struct Paid {
    when: When,
    id: String,
}

#[derive(Template)]
#[template(path = "order.html")]
struct OrderPage<'a> {
    shell: Shell,
    errors: Errors,
    declined: Option<String>,
    state: State,
    order: &'a OrderView,
    now: Timestamp,
    left: Option<String>,
    script: Option<&'a CardScript>,
    test_cards: bool,
    currency: String,
    return_url: String,
    client_secret: Option<String>,
    key: String,
    /// Of the page's other form, so that the two never share an effect.
    other_key: String,
    admissions: Vec<Admission<'a>>,
    has_event: bool,
    paid: Option<Paid>,
}

/// The page of the order as it is now.
pub(super) async fn render(
    app: &App,
    visitor: &Visitor,
    id: OrderId,
    answer: Answer,
) -> Result<Response, Failure> {
    let (order, payment) = read(visitor, id).await?;
    let state = State::of(&order, payment.as_ref());
    let events = events(app, &order).await;
    let zone = events.first().map_or("UTC", |event| event.time_zone.as_str());
    let Answer { errors, declined } = answer;
    let is_refused = !errors.is_empty() || declined.is_some();
    let view = view(app, &order, &events, zone);
    let asks_for_a_card = matches!(state, State::Payable | State::Authenticate);
    let script = app.site.script.as_ref().filter(|_| asks_for_a_card);
    let now = Timestamp::now();
    let is_complete = state == State::Complete;
    let mut shell = Shell::private(&app.site, visitor, state.heading());
    shell.refresh = (state == State::Confirming).then_some(LOOK_AGAIN);
    let page = OrderPage {
        shell: if is_refused { shell.with_errors() } else { shell },
        errors,
        declined,
        state,
        now,
        left: countdown(now, order.expires_at),
        script,
        test_cards: app.site.test_cards,
        currency: app.site.currency.code.to_lowercase(),
        return_url: app.site.absolute(&format!("/orders/{id}")),
        client_secret: payment.as_ref().and_then(|payment| payment.client_secret.clone()),
        key: new_key(),
        other_key: new_key(),
        admissions: if is_complete {
            admissions(&view)
        } else {
            Vec::new()
        },
        has_event: !events.is_empty(),
        paid: payment
            .filter(|_| is_complete)
            .map(|payment| paid(&payment, zone)),
        order: &view,
    };
    let status = if is_refused {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let mut response = html(status, &page);
    if let Some(script) = script {
        response
            .headers_mut()
            .insert(header::CONTENT_SECURITY_POLICY, script.policy());
    }
    Ok(response)
}

fn view(app: &App, order: &Order, events: &[Event], zone: &str) -> OrderView {
    let line = |ticket: &OrderedTicket| {
        let event = events
            .iter()
            .find(|event| ticket.event_id.as_deref() == Some(&event.id.to_string()));
        Line {
            title: ticket.title.clone(),
            serial: ticket.serial_number.clone(),
            price: app.site.price(ticket.price.0),
            event: event.map(Occasion::from),
        }
    };
    OrderView {
        id: order.id,
        lines: order.tickets.iter().map(line).collect(),
        total: app.site.price(order.total.0),
        cents: order.total.0.0,
        expires_at: order.expires_at,
        until: when(order.expires_at, zone),
    }
}

fn admissions(order: &OrderView) -> Vec<Admission<'_>> {
    let numbered = order.lines.iter().zip(1..);
    numbered
        .map(|(line, number)| Admission {
            line,
            code: door_code(order.id, number),
        })
        .collect()
}

fn paid(payment: &Payment, zone: &str) -> Paid {
    Paid {
        when: when(payment.created_at, zone),
        id: payment.id.to_string(),
    }
}
