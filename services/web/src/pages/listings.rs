//! My listings: how each stands and what it earned.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use bigtix_contracts::api::orders::StatusWord;
use bigtix_contracts::api::tickets::{Ticket, TicketStatus};
use bigtix_contracts::{Cents, TicketId};
use futures::future::join_all;

use super::states::{Badge, State as OrderState, of_ticket};
use super::{Occasion, Query};
use crate::App;
use crate::failure::{Failure, Sought};
use crate::session::Visitor;
use crate::shell::{Shell, html};

const ROWS: usize = 20;

struct Row {
    id: TicketId,
    title: String,
    serial: String,
    event: Option<String>,
    state: Badge,
    price: String,
    earned: String,
    is_free: bool,
    /// Why there is nothing to change.
    locked: &'static str,
}

#[derive(Template)]
#[template(path = "listings.html")]
struct ListingsPage {
    shell: Shell,
    rows: Vec<Row>,
    earned: String,
    is_first: bool,
    next: Option<String>,
    done: Option<&'static str>,
}

/// `GET /tickets/mine`.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    query: Query,
) -> Result<Response, Failure> {
    visitor.require()?;
    let mut list = visitor.api.my_tickets().limit(ROWS);
    let cursor = query.given("cursor");
    if let Some(cursor) = cursor {
        list = list.after(cursor);
    }
    let part = list
        .page()
        .await
        .map_err(|error| Failure::reading(&error, Sought::Page))?;
    let orders = join_all(part.items.iter().map(|ticket| order_of(&visitor, ticket))).await;
    let earned = |(ticket, order): (&Ticket, &Option<StatusWord>)| match order {
        Some(StatusWord::Complete | StatusWord::Paid) => ticket.price.0,
        _ => Cents(0),
    };
    let total: Cents = part.items.iter().zip(&orders).map(earned).sum();
    let rows = part.items.iter().zip(&orders);
    let page = ListingsPage {
        shell: Shell::private(&app.site, &visitor, "My listings"),
        rows: rows
            .map(|(ticket, order)| row(&app, ticket, *order, earned((ticket, order))))
            .collect(),
        earned: app.site.price(total),
        is_first: cursor.is_none(),
        next: part.next.map(|cursor| format!("/tickets/mine?cursor={cursor}")),
        done: match query.get("done") {
            "listed" => Some("Your tickets are on sale."),
            "saved" => Some("The listing is changed."),
            "withdrawn" => Some("The listing is off sale."),
            _ => None,
        },
    };
    Ok(html(StatusCode::OK, &page))
}

/// How the order stands that a sold ticket is in: it may have been refunded and not put on sale again.
async fn order_of(visitor: &Visitor, ticket: &Ticket) -> Option<StatusWord> {
    let order = ticket.order_id.filter(|_| ticket.status == TicketStatus::Sold)?;
    match visitor.api.order_safe_details(order).await {
        Ok(details) => Some(details.status),
        Err(error) => {
            tracing::warn!(%error, "nobody says how a sold ticket's order stands");
            None
        }
    }
}

fn row(app: &App, ticket: &Ticket, order: Option<StatusWord>, earned: Cents) -> Row {
    let state = match order {
        Some(StatusWord::Refunded) => OrderState::Refunded.badge(),
        _ => of_ticket(ticket.status),
    };
    Row {
        id: ticket.id,
        title: ticket.title.clone(),
        serial: ticket.serial_number.clone(),
        event: ticket.event.as_ref().map(|event| {
            let event = Occasion::from(event);
            format!("{}, {}", event.title, event.when.date)
        }),
        state,
        price: app.site.price(ticket.price.0),
        earned: if earned == Cents(0) {
            "–".to_owned()
        } else {
            app.site.price(earned)
        },
        is_free: ticket.status == TicketStatus::Available,
        locked: match ticket.status {
            TicketStatus::Available | TicketStatus::Withdrawn => "",
            TicketStatus::Reserved => "Locked while a buyer has it reserved",
            TicketStatus::Sold => "Sold tickets stay as they are",
        },
    }
}
