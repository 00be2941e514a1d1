//! Changing a listing, and taking it off sale.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use bigtix_client::{ClientError, TicketChange};
use bigtix_contracts::api::tickets::{Ticket, TicketStatus};
use bigtix_contracts::money::MoneyError;
use bigtix_contracts::{Cents, ErrorCode, EventId, TicketId};

use super::states::{Badge, of_ticket};
use super::{Id, go};
use crate::App;
use crate::failure::{Failure, Sought};
use crate::forms::{Errors, Form, LocalPath};
use crate::session::Visitor;
use crate::shell::{Shell, html};

#[derive(Template)]
#[template(path = "edit.html")]
struct EditPage<'a> {
    shell: Shell,
    errors: Errors,
    ticket: &'a Ticket,
    state: Badge,
    is_free: bool,
    title: &'a str,
    price: String,
    description: &'a str,
}

/// `GET /tickets/{id}/edit`.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Id(id): Id<TicketId>,
) -> Result<Response, Failure> {
    let ticket = own(&visitor, id).await?;
    Ok(render(&app, &visitor, &ticket, None, Errors::default()))
}

/// The visitor's own listing; whether somebody else's exists is not told.
async fn own(visitor: &Visitor, id: TicketId) -> Result<Ticket, Failure> {
    let user = visitor.require()?.id;
    let ticket = visitor.api.ticket(id).await;
    let ticket = ticket.map_err(|error| Failure::reading(&error, Sought::Ticket))?;
    if ticket.user_id == user {
        Ok(ticket)
    } else {
        Err(Failure::NotFound(Sought::Ticket))
    }
}

fn render(app: &App, visitor: &Visitor, ticket: &Ticket, typed: Option<&Form>, errors: Errors) -> Response {
    let is_refused = !errors.is_empty();
    let shell = Shell::private(&app.site, visitor, &format!("Edit {}", ticket.title));
    let page = EditPage {
        shell: if is_refused { shell.with_errors() } else { shell },
        errors,
        ticket,
        state: of_ticket(ticket.status),
        is_free: ticket.status == TicketStatus::Available,
        title: typed.map_or(&ticket.title, |form| form.raw("title")),
        price: typed.map_or_else(|| ticket.price.0.to_string(), |form| form.raw("price").to_owned()),
        description: typed.map_or(&ticket.description, |form| form.raw("description")),
    };
    html(
        if is_refused {
            StatusCode::UNPROCESSABLE_ENTITY
        } else {
            StatusCode::OK
        },
        &page,
    )
}

/// `POST /tickets/{id}/edit`.
pub(crate) async fn send(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Id(id): Id<TicketId>,
    form: Form,
) -> Result<Response, Failure> {
    let ticket = own(&visitor, id).await?;
    let (asked, done) = if form.get("action") == "withdraw" {
        (visitor.api.withdraw_ticket(id).await, "withdrawn")
    } else {
        match change(&form) {
            Ok(change) => (visitor.api.change_ticket(id, &change).await, "saved"),
            Err(errors) => return Ok(render(&app, &visitor, &ticket, Some(&form), errors)),
        }
    };
    match asked {
        Ok(changed) => {
            let event: Option<EventId> = changed.event.as_ref().map(|event| event.id);
            app.reads.forget(id, event).await;
            Ok(go(&format!("/tickets/mine?done={done}")))
        }
        Err(error) => refused(&app, &visitor, id, &error, form).await,
    }
}

fn change(form: &Form) -> Result<TicketChange, Errors> {
    let price = read_price(form.get("price"))?;
    let change = TicketChange::default()
        .title(form.get("title"))
        .price(price)
        .description(form.get("description"));
    Ok(match form.get("version").parse() {
        Ok(version) => change.based_on(version),
        Err(_) => change,
    })
}

/// The price that was typed, in the API's words where it is none.
pub(super) fn read_price(text: &str) -> Result<Cents, Errors> {
    Cents::parse_dollars(text.trim_start_matches('$').trim()).map_err(|error| {
        let words = match error {
            MoneyError::NotANumber => "Price must be a number",
            MoneyError::TooManyDecimals => "Price must have at most two decimals",
        };
        let mut errors = Errors::default();
        errors.add(Some("price"), words);
        errors
    })
}

async fn refused(
    app: &App,
    visitor: &Visitor,
    id: TicketId,
    error: &ClientError,
    form: Form,
) -> Result<Response, Failure> {
    let errors = match (error.code(), error.problem()) {
        (Some(ErrorCode::TicketReserved), _) => Errors::general(
            "A buyer has just reserved this ticket. It cannot be changed while they have time to pay.",
        ),
        (Some(ErrorCode::VersionConflict), _) => {
            Errors::general("This listing was changed meanwhile. What it says now is below; change it again.")
        }
        (Some(ErrorCode::TicketWithdrawn), _) => Errors::general("This listing is withdrawn already."),
        (Some(ErrorCode::ValidationFailed), Some(problem)) => {
            Errors::from_problem(problem, |field| match field {
                "title" => Some("title"),
                "price" => Some("price"),
                "description" => Some("description"),
                _ => None,
            })
        }
        _ => {
            return Err(Failure::sending(
                error,
                &LocalPath::read(&format!("/tickets/{id}/edit")),
                form,
            ));
        }
    };
    let is_outdated = error.code() == Some(ErrorCode::VersionConflict);
    let ticket = own(visitor, id).await?;
    let typed = Some(&form).filter(|_| !is_outdated);
    Ok(render(app, visitor, &ticket, typed, errors))
}
