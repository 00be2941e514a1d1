//! One ticket.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use bigtix_client::NewOrder;
use bigtix_contracts::api::tickets::{Ticket, TicketStatus};
use bigtix_contracts::{Cents, TicketId};

use super::event::put_into_cart;
use super::reserve::{Reservation, reserve};
use super::states::{Badge, of_ticket};
use super::{Id, Occasion, Query, go};
use crate::App;
use crate::failure::{Failure, Sought};
use crate::forms::{Errors, Form, LocalPath, new_key};
use crate::session::Visitor;
use crate::shell::{Shell, public_html};
use crate::view::art::Seed;
use crate::view::structured;

#[derive(Template)]
#[template(path = "ticket.html")]
struct TicketPage {
    shell: Shell,
    errors: Errors,
    ticket: Arc<Ticket>,
    event: Option<Occasion>,
    art: String,
    price: String,
    cents: i64,
    key: String,
    state: Badge,
    is_free: bool,
    is_own: bool,
    in_cart: bool,
    added: bool,
}

/// `GET /tickets/{id}`.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Id(id): Id<TicketId>,
    query: Query,
) -> Result<Response, Failure> {
    render(
        &app,
        &visitor,
        id,
        Errors::default(),
        query.given("added").is_some(),
    )
    .await
}

async fn render(
    app: &App,
    visitor: &Visitor,
    id: TicketId,
    errors: Errors,
    added: bool,
) -> Result<Response, Failure> {
    let ticket = app.reads.ticket(id).await;
    let ticket = ticket.map_err(|error| Failure::reading(&error, Sought::Ticket))?;
    let event = ticket.event.as_ref().map(Occasion::from);
    let is_free = ticket.status == TicketStatus::Available;
    let status = match (errors.is_empty(), ticket.status) {
        (false, _) => StatusCode::UNPROCESSABLE_ENTITY,
        (true, TicketStatus::Withdrawn) => StatusCode::GONE,
        (true, TicketStatus::Available | TicketStatus::Reserved | TicketStatus::Sold) => StatusCode::OK,
    };
    let page = TicketPage {
        shell: shell(app, visitor, &ticket, event.as_ref(), &errors),
        art: match &ticket.event {
            Some(event) => Seed::of(&event.id.to_string(), &event.title),
            None => Seed::of(&ticket.id.to_string(), &ticket.title),
        }
        .path(),
        errors,
        event,
        price: app.site.price(ticket.price.0),
        cents: ticket.price.0.0,
        key: new_key(),
        state: of_ticket(ticket.status),
        is_free,
        is_own: visitor.user().is_some_and(|user| user.id == ticket.user_id),
        in_cart: visitor.cart.holds(id),
        added,
        ticket,
    };
    Ok(public_html(status, &page))
}

fn shell(app: &App, visitor: &Visitor, ticket: &Ticket, event: Option<&Occasion>, errors: &Errors) -> Shell {
    let (title, description) = match event {
        Some(event) => (
            format!("{}, {}", ticket.title, event.title),
            format!(
                "{} for {} at {}, {}.",
                ticket.title, event.title, event.place, event.when.date
            ),
        ),
        None => (
            ticket.title.clone(),
            format!("{}. {}", ticket.title, ticket.description),
        ),
    };
    if ticket.status == TicketStatus::Withdrawn {
        return Shell::private(&app.site, visitor, &title);
    }
    let path = format!("/tickets/{}", ticket.id);
    let mut shell = Shell::public(&app.site, visitor, &title, &path, &description);
    let is_free = ticket.status == TicketStatus::Available;
    shell.structured = Some(structured::product(
        &app.site,
        &path,
        &title,
        ticket.price.0,
        is_free,
    ));
    if errors.is_empty() {
        shell
    } else {
        shell.with_errors()
    }
}

/// `POST /tickets/{id}`: reserve it, or put it into the cart.
pub(crate) async fn send(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Id(id): Id<TicketId>,
    form: Form,
) -> Result<Response, Failure> {
    if form.get("action") == "cart" {
        return match put_into_cart(&app, &visitor, id, &format!("/tickets/{id}?added=1")) {
            Ok(answer) => Ok(answer),
            Err(errors) => render(&app, &visitor, id, errors, false).await,
        };
    }
    let wish = NewOrder::ticket(id);
    let wish = match form.get("price").parse() {
        Ok(shown) => wish.expected_total(Cents(shown)),
        Err(_) => wish,
    };
    let page = LocalPath::read(&format!("/tickets/{id}"));
    match reserve(&app, &visitor, wish, form, &page).await? {
        Reservation::Made(order) => Ok(go(&format!("/orders/{}", order.id))),
        Reservation::Refused(errors) => {
            app.reads.forget(id, None).await;
            render(&app, &visitor, id, errors, false).await
        }
    }
}
