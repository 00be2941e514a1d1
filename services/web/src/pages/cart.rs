//! Chosen tickets before they are reserved together.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bigtix_client::{ClientError, NewOrder};
use bigtix_contracts::api::tickets::{Ticket, TicketStatus};
use bigtix_contracts::{Cents, TicketId, UserId};
use futures::future::join_all;

use super::reserve::{Reservation, reserve};
use super::states::{Badge, of_ticket};
use super::{Occasion, go};
use crate::App;
use crate::cart::Cart;
use crate::failure::{Failure, Sought};
use crate::forms::{Errors, Form, LocalPath, new_key};
use crate::session::Visitor;
use crate::shell::{Shell, html};

/// What tickets say of their holders may be late by a second; a refused reservation waits for it, to name what is gone.
const LOOKS: u32 = 5;
const LOOK_AGAIN: Duration = Duration::from_millis(250);

struct Line {
    id: TicketId,
    title: String,
    note: Option<String>,
    price: String,
    cents: Cents,
    /// Of what cannot be reserved.
    state: Option<Badge>,
}

#[derive(Template)]
#[template(path = "cart.html")]
struct CartPage {
    shell: Shell,
    errors: Errors,
    lines: Vec<Line>,
    gone: usize,
    left: usize,
    total: String,
    cents: i64,
    key: String,
}

const UNKNOWN: Badge = Badge {
    class: "withdrawn",
    word: "Gone",
    explanation: "",
};
const OWN: Badge = Badge {
    class: "available",
    word: "Your own",
    explanation: "",
};

/// `GET /cart`.
pub(crate) async fn show(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, Failure> {
    let lines = read(&app, &visitor).await?;
    Ok(render(&app, &visitor, lines, Errors::default()))
}

/// The lines of the cart as they are now.
async fn read(app: &App, visitor: &Visitor) -> Result<Vec<Line>, Failure> {
    let ids = visitor.cart.ids();
    let tickets = join_all(ids.iter().map(|id| visitor.api.ticket(*id).send())).await;
    let buyer = visitor.user().map(|user| user.id);
    let lines = ids
        .iter()
        .zip(tickets)
        .map(|(id, ticket)| line(app, *id, ticket, buyer));
    lines.collect()
}

fn line(
    app: &App,
    id: TicketId,
    ticket: Result<Ticket, ClientError>,
    buyer: Option<UserId>,
) -> Result<Line, Failure> {
    let ticket = match ticket {
        Ok(ticket) => ticket,
        Err(error) if error.status() == Some(404) => {
            return Ok(Line {
                id,
                title: "A ticket that does not exist".to_owned(),
                note: None,
                price: String::new(),
                cents: Cents(0),
                state: Some(UNKNOWN),
            });
        }
        Err(error) => return Err(Failure::reading(&error, Sought::Ticket)),
    };
    let note = ticket.event.as_ref().map(|event| {
        let event = Occasion::from(event);
        format!("{}, {}, {}", event.title, event.place, event.when.date)
    });
    Ok(Line {
        id,
        note,
        price: app.site.price(ticket.price.0),
        cents: ticket.price.0,
        state: match ticket.status {
            TicketStatus::Available if buyer == Some(ticket.user_id) => Some(OWN),
            TicketStatus::Available => None,
            status @ (TicketStatus::Reserved | TicketStatus::Sold | TicketStatus::Withdrawn) => {
                Some(of_ticket(status))
            }
        },
        title: ticket.title,
    })
}

fn render(app: &App, visitor: &Visitor, lines: Vec<Line>, errors: Errors) -> Response {
    let free: Vec<&Line> = lines.iter().filter(|line| line.state.is_none()).collect();
    let total: Cents = free.iter().map(|line| line.cents).sum();
    let shell = Shell::private(&app.site, visitor, "Your cart");
    let (shell, status) = if errors.is_empty() {
        (shell, StatusCode::OK)
    } else {
        (shell.with_errors(), StatusCode::UNPROCESSABLE_ENTITY)
    };
    let left = free.len();
    let page = CartPage {
        shell,
        errors,
        gone: lines.len() - left,
        left,
        total: app.site.price(total),
        cents: total.0,
        key: new_key(),
        lines,
    };
    html(status, &page)
}

/// `POST /cart`: remove a ticket, remove what is gone, or reserve.
pub(crate) async fn send(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    form: Form,
) -> Result<Response, Failure> {
    if let Ok(ticket) = form.get("remove").parse::<TicketId>() {
        return Ok(without(&app, &visitor, &[ticket], "/cart"));
    }
    match form.get("action") {
        "drop" => {
            let lines = read(&app, &visitor).await?;
            let gone: Vec<TicketId> = lines
                .iter()
                .filter(|line| line.state.is_some())
                .map(|line| line.id)
                .collect();
            Ok(without(&app, &visitor, &gone, "/cart"))
        }
        _ => reserve_all(&app, &visitor, form).await,
    }
}

async fn reserve_all(app: &App, visitor: &Visitor, form: Form) -> Result<Response, Failure> {
    let mut chosen: Vec<TicketId> = form.all("ticket").filter_map(|id| id.parse().ok()).collect();
    if chosen.is_empty() {
        chosen = visitor.cart.ids().to_vec();
    }
    if chosen.is_empty() {
        return Ok(render(
            app,
            visitor,
            Vec::new(),
            Errors::general("There is nothing in your cart."),
        ));
    }
    let wish = NewOrder::tickets(chosen.iter().copied());
    let wish = match form.get("total").parse() {
        Ok(shown) => wish.expected_total(Cents(shown)),
        Err(_) => wish,
    };
    match reserve(app, visitor, wish, form, &LocalPath::read("/cart")).await? {
        Reservation::Made(order) => Ok(without(app, visitor, &chosen, &format!("/orders/{}", order.id))),
        Reservation::Refused(errors) => {
            let lines = read_until_one_is_gone(app, visitor).await?;
            let is_short = lines.iter().any(|line| line.state.is_some());
            // The page itself says what is gone and what can be done.
            let errors = if is_short {
                Errors::general("Nothing was reserved, because not everything is free any more.")
            } else {
                errors
            };
            Ok(render(app, visitor, lines, errors))
        }
    }
}

async fn read_until_one_is_gone(app: &App, visitor: &Visitor) -> Result<Vec<Line>, Failure> {
    let mut lines = read(app, visitor).await?;
    for _ in 1..LOOKS {
        if lines.iter().any(|line| line.state.is_some()) {
            break;
        }
        tokio::time::sleep(LOOK_AGAIN).await;
        lines = read(app, visitor).await?;
    }
    Ok(lines)
}

/// On to `next`, with a cart that these are not in any more.
fn without(app: &App, visitor: &Visitor, ids: &[TicketId], next: &str) -> Response {
    let mut rest: Cart = visitor.cart.clone();
    rest.remove(ids);
    let cookies = visitor.cookies.clone().add(rest.cookie(app.site.is_https()));
    (cookies, go(next)).into_response()
}
