//! One event with its free tickets.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bigtix_client::NewOrder;
use bigtix_contracts::api::tickets::{Event, Ticket};
use bigtix_contracts::{Cents, EventId, TicketId};

use super::reserve::{Reservation, reserve};
use super::{Id, Query, go};
use crate::App;
use crate::cart::{self, Cart};
use crate::failure::{Failure, Sought};
use crate::forms::{Errors, Form, LocalPath, new_key};
use crate::reads::Free;
use crate::session::Visitor;
use crate::shell::{Shell, public_html};
use crate::view::art::Seed;
use crate::view::structured::{self, Offers};
use crate::view::time::{When, when};

/// How many tickets are shown one by one.
const SHOWN: usize = 50;

struct Stub {
    id: TicketId,
    title: String,
    description: String,
    serial: String,
    price: String,
    cents: i64,
    key: String,
    is_own: bool,
    in_cart: bool,
}

#[derive(Template)]
#[template(path = "event.html")]
struct EventPage<'a> {
    shell: Shell,
    errors: Errors,
    event: &'a Event,
    art: String,
    when: When,
    free: usize,
    is_all: bool,
    key: String,
    /// Of what the visitor may buy, cheapest first, in minor units.
    prices: String,
    most: usize,
    quantity: usize,
    total: String,
    currency: &'static str,
    digits: u32,
    locale: String,
    stubs: Vec<Stub>,
    not_shown: usize,
    added: bool,
}

/// `GET /events/{id}`.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Id(id): Id<EventId>,
    query: Query,
) -> Result<Response, Failure> {
    let quantity = query.get("quantity").parse().unwrap_or(1);
    let added = query.given("added").is_some();
    let page = Asked {
        quantity,
        added,
        errors: Errors::default(),
    };
    render(&app, &visitor, id, page).await
}

struct Asked {
    quantity: usize,
    added: bool,
    errors: Errors,
}

async fn render(app: &App, visitor: &Visitor, id: EventId, asked: Asked) -> Result<Response, Failure> {
    let Asked {
        quantity,
        added,
        errors,
    } = asked;
    let (event, free) = futures::join!(app.reads.event(id), app.reads.free(id));
    let event = event.map_err(|error| Failure::reading(&error, Sought::Event))?;
    let free = free.map_err(|error| Failure::reading(&error, Sought::Event))?;
    let buyer = visitor.user().map(|user| user.id);
    let offered: Vec<Cents> = free
        .tickets
        .iter()
        .filter(|ticket| Some(ticket.user_id) != buyer)
        .map(|ticket| ticket.price.0)
        .take(cart::MOST)
        .collect();
    let quantity = quantity.clamp(1, offered.len().max(1));
    let status = if errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let page = EventPage {
        shell: shell(app, visitor, &event, &free, &errors),
        errors,
        art: Seed::of(&event.id.to_string(), &event.title).path(),
        when: when(event.starts_at, &event.time_zone),
        free: free.tickets.len(),
        is_all: free.is_all,
        key: new_key(),
        prices: join(&offered),
        most: offered.len(),
        quantity,
        total: app.site.price(offered.iter().take(quantity).copied().sum()),
        currency: app.site.currency.code,
        digits: app.site.currency.digits,
        locale: app.site.locale.to_string(),
        stubs: free
            .tickets
            .iter()
            .take(SHOWN)
            .map(|ticket| stub(app, visitor, ticket))
            .collect(),
        not_shown: free.tickets.len().saturating_sub(SHOWN),
        added,
        event: &event,
    };
    Ok(public_html(status, &page))
}

fn shell(app: &App, visitor: &Visitor, event: &Event, free: &Free, errors: &Errors) -> Shell {
    let time = when(event.starts_at, &event.time_zone);
    let description = format!(
        "Tickets for {} at {}, {}, on {} at {} {}. {}",
        event.title, event.venue, event.city, time.date, time.clock, time.zone, event.description
    );
    let path = format!("/events/{}", event.id);
    let mut shell = Shell::public(&app.site, visitor, &event.title, &path, &description);
    shell.image.clone_from(&event.image);
    shell.structured = Some(structured::event(&app.site, event, offers(free)));
    if errors.is_empty() {
        shell
    } else {
        shell.with_errors()
    }
}

fn offers(free: &Free) -> Option<Offers> {
    Some(Offers {
        lowest: free.tickets.first()?.price.0,
        highest: free.tickets.last()?.price.0,
        count: free.tickets.len(),
    })
}

fn stub(app: &App, visitor: &Visitor, ticket: &Ticket) -> Stub {
    Stub {
        id: ticket.id,
        title: ticket.title.clone(),
        description: ticket.description.clone(),
        serial: ticket.serial_number.clone(),
        price: app.site.price(ticket.price.0),
        cents: ticket.price.0.0,
        key: new_key(),
        is_own: visitor.user().is_some_and(|user| user.id == ticket.user_id),
        in_cart: visitor.cart.holds(ticket.id),
    }
}

fn join(prices: &[Cents]) -> String {
    prices
        .iter()
        .map(|price| price.0.to_string())
        .collect::<Vec<_>>()
        .join(" ")
}

/// What the first `quantity` of these prices come to, as the form showed them; none where it showed fewer.
fn expected(prices: &str, quantity: usize) -> Option<Cents> {
    let shown: Vec<i64> = prices.split(' ').map_while(|price| price.parse().ok()).collect();
    shown
        .get(..quantity)
        .and_then(|part| part.iter().try_fold(0_i64, |sum, price| sum.checked_add(*price)))
        .map(Cents)
}

/// `POST /events/{id}`: reserve one ticket or the cheapest ones, or put a ticket into the cart.
pub(crate) async fn send(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Id(id): Id<EventId>,
    form: Form,
) -> Result<Response, Failure> {
    let ticket = form.get("ticketId").parse::<TicketId>().ok();
    if let (Some(ticket), "cart") = (ticket, form.get("action")) {
        return match put_into_cart(&app, &visitor, ticket, &format!("/events/{id}?added=1")) {
            Ok(answer) => Ok(answer),
            Err(errors) => {
                render(
                    &app,
                    &visitor,
                    id,
                    Asked {
                        quantity: 1,
                        added: false,
                        errors,
                    },
                )
                .await
            }
        };
    }
    let quantity = form.get("quantity").parse().unwrap_or(0);
    let (wish, expected) = match ticket {
        Some(ticket) => (NewOrder::ticket(ticket), expected(form.get("price"), 1)),
        None if (1..=cart::MOST).contains(&quantity) => (
            NewOrder::any_of(id, quantity),
            expected(form.get("prices"), quantity),
        ),
        None => {
            let mut errors = Errors::default();
            errors.add(
                Some("quantity"),
                format!("Choose from 1 to {} tickets", cart::MOST),
            );
            return render(
                &app,
                &visitor,
                id,
                Asked {
                    quantity: 1,
                    added: false,
                    errors,
                },
            )
            .await;
        }
    };
    let wish = match expected {
        Some(total) => wish.expected_total(total),
        None => wish,
    };
    let page = LocalPath::read(&format!("/events/{id}?quantity={}", quantity.max(1)));
    match reserve(&app, &visitor, wish, form, &page).await? {
        Reservation::Made(order) => Ok(go(&format!("/orders/{}", order.id))),
        Reservation::Refused(errors) => {
            app.reads.forget_event(id).await;
            render(
                &app,
                &visitor,
                id,
                Asked {
                    quantity,
                    added: false,
                    errors,
                },
            )
            .await
        }
    }
}

/// Puts a ticket into the visitor's cart and goes on to `next`.
pub(crate) fn put_into_cart(
    app: &App,
    visitor: &Visitor,
    ticket: TicketId,
    next: &str,
) -> Result<Response, Errors> {
    let mut chosen: Cart = visitor.cart.clone();
    if chosen.add(ticket).is_err() {
        let words = format!(
            "Your cart is full: {} tickets can be reserved at once. Reserve them, or remove some.",
            cart::MOST
        );
        return Err(Errors::general(words));
    }
    let cookies = visitor.cookies.clone().add(chosen.cookie(app.site.is_https()));
    Ok((cookies, go(next)).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_what_the_form_showed() {
        assert_eq!(expected("2000 2500 3000", 2), Some(Cents(45_00)));
        assert_eq!(expected("2000", 2), None);
        assert_eq!(expected("", 1), None);
        assert_eq!(expected("9223372036854775807 1", 2), None);
    }
}
