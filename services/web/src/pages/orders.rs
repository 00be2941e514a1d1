//! My orders.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use bigtix_contracts::OrderId;
use bigtix_contracts::api::orders::Order;

use super::Query;
use super::states::{Badge, State as OrderState};
use crate::App;
use crate::failure::{Failure, Sought};
use crate::session::Visitor;
use crate::shell::{Shell, html};
use crate::view::time::{When, when};

const ROWS: usize = 20;

struct Row {
    id: OrderId,
    title: String,
    others: usize,
    state: Badge,
    placed: When,
    total: String,
    action: &'static str,
}

#[derive(Template)]
#[template(path = "orders.html")]
struct OrdersPage {
    shell: Shell,
    rows: Vec<Row>,
    is_first: bool,
    next: Option<String>,
}

/// `GET /orders`.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    query: Query,
) -> Result<Response, Failure> {
    visitor.require()?;
    let mut list = visitor.api.orders().limit(ROWS);
    let cursor = query.given("cursor");
    if let Some(cursor) = cursor {
        list = list.after(cursor);
    }
    let part = list
        .page()
        .await
        .map_err(|error| Failure::reading(&error, Sought::Page))?;
    let page = OrdersPage {
        shell: Shell::private(&app.site, &visitor, "My orders"),
        rows: part.items.iter().map(|order| row(&app, order)).collect(),
        is_first: cursor.is_none(),
        next: part.next.map(|cursor| format!("/orders?cursor={cursor}")),
    };
    Ok(html(StatusCode::OK, &page))
}

fn row(app: &App, order: &Order) -> Row {
    let state = OrderState::of(order, None);
    Row {
        id: order.id,
        title: order.ticket.title.clone(),
        others: order.tickets.len().saturating_sub(1),
        state: state.badge(),
        placed: when(order.created_at, "UTC"),
        total: app.site.price(order.total.0),
        action: match state {
            OrderState::Payable | OrderState::Authenticate => "Pay",
            OrderState::Complete => "Show tickets",
            OrderState::Confirming
            | OrderState::Expired
            | OrderState::Cancelled
            | OrderState::Failed
            | OrderState::Refunded => "Look",
        },
    }
}
