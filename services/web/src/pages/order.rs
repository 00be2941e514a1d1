//! One order: time left, pay, cancel, confirmation, receipt.

mod view;

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bigtix_client::{ClientError, NewOrder};
use bigtix_contracts::api::orders::Order;
use bigtix_contracts::api::payments::Payment;
use bigtix_contracts::api::tickets::Event;
use bigtix_contracts::{ErrorCode, EventId, OrderId};
use futures::future::join_all;
use jiff::Timestamp;

use super::reserve::{Reservation, reserve};
use super::{Id, go};
use crate::App;
use crate::failure::{Failure, Sought};
use crate::forms::{Errors, Form, LocalPath};
use crate::session::Visitor;
use crate::view::calendar;

use self::view::{Answer, render};

/// `GET /orders/{id}`.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Id(id): Id<OrderId>,
) -> Result<Response, Failure> {
    visitor.require()?;
    render(&app, &visitor, id, Answer::default()).await
}

/// The order, and the latest attempt to pay for it.
pub(crate) async fn read(visitor: &Visitor, id: OrderId) -> Result<(Order, Option<Payment>), Failure> {
    let (order, payment) = futures::join!(visitor.api.order(id).send(), visitor.api.payment(id).send());
    let order = order.map_err(|error| Failure::reading(&error, Sought::Order))?;
    let payment = match payment {
        Ok(payment) => Some(payment),
        Err(error) if error.status() == Some(404) => None,
        Err(error) => return Err(Failure::reading(&error, Sought::Order)),
    };
    Ok((order, payment))
}

/// The events of the catalogue that the order's tickets are for, each once.
pub(crate) async fn events(app: &App, order: &Order) -> Vec<Event> {
    let mut ids: Vec<EventId> = order
        .tickets
        .iter()
        .filter_map(|ticket| ticket.event_id.as_deref()?.parse().ok())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    let found = join_all(ids.into_iter().map(|id| app.reads.event(id))).await;
    // An order shows without them, when they are away or were never in the catalogue.
    found
        .into_iter()
        .flatten()
        .map(|event| (*event).clone())
        .collect()
}

/// `POST /orders/{id}`: pay, go on after the bank has asked, cancel, or try the same tickets again.
pub(crate) async fn send(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Id(id): Id<OrderId>,
    form: Form,
) -> Result<Response, Failure> {
    visitor.require()?;
    let page = LocalPath::read(&format!("/orders/{id}"));
    match form.get("action") {
        "cancel" => match visitor.api.cancel_order(id).await {
            Ok(()) => Ok(go(page.as_str())),
            Err(error) => refused(&app, &visitor, id, &error, form).await,
        },
        "again" => again(&app, &visitor, id, form, &page).await,
        "continue" => match visitor.api.continue_payment(id).await {
            Ok(_) => Ok(go(page.as_str())),
            Err(error) => refused(&app, &visitor, id, &error, form).await,
        },
        _ => pay(&app, &visitor, id, form).await,
    }
}

async fn pay(app: &App, visitor: &Visitor, id: OrderId, form: Form) -> Result<Response, Failure> {
    let token = match form.get("token") {
        "" => form.get("confirmationToken"),
        token => token,
    };
    if token.is_empty() {
        let errors = Errors::general("No card was given. Fill in the card form and try again.");
        return render(
            app,
            visitor,
            id,
            Answer {
                errors,
                declined: None,
            },
        )
        .await;
    }
    match visitor
        .api
        .pay(id, token)
        .idempotency_key(form.key_for(&token))
        .await
    {
        // Paid, or the bank asks: the page says which.
        Ok(_) => Ok(go(&format!("/orders/{id}"))),
        Err(error) => refused(app, visitor, id, &error, form).await,
    }
}

/// The order's page with what the API refused, or with what is known meanwhile about an unknown outcome.
async fn refused(
    app: &App,
    visitor: &Visitor,
    id: OrderId,
    error: &ClientError,
    form: Form,
) -> Result<Response, Failure> {
    let path = LocalPath::read(&format!("/orders/{id}"));
    let answer = match (error.code(), error.problem()) {
        (Some(ErrorCode::CardDeclined), Some(problem)) => Answer {
            errors: Errors::default(),
            declined: Some(problem.message.clone()),
        },
        // What the order has become meanwhile is what its page shows.
        (
            Some(
                ErrorCode::OrderExpired
                | ErrorCode::OrderCancelled
                | ErrorCode::OrderComplete
                | ErrorCode::OrderNotCancellable,
            ),
            _,
        ) => return Ok(go(path.as_str())),
        (Some(ErrorCode::ValidationFailed | ErrorCode::TotalTooLarge), Some(problem)) => Answer {
            errors: Errors::from_problem(problem, |_| None),
            declined: None,
        },
        // Somebody decides: the order's page waits for the truth.
        (Some(ErrorCode::OutcomeUnknown), _) if form.get("action") != "cancel" => {
            return Ok(go(path.as_str()));
        }
        (Some(ErrorCode::NotFound | ErrorCode::NotAuthorized), _) => {
            return Err(Failure::reading(error, Sought::Order));
        }
        _ => return Err(Failure::sending(error, &path, form)),
    };
    render(app, visitor, id, answer).await
}

async fn again(
    app: &App,
    visitor: &Visitor,
    id: OrderId,
    form: Form,
    page: &LocalPath,
) -> Result<Response, Failure> {
    let order = visitor.api.order(id).await;
    let order = order.map_err(|error| Failure::reading(&error, Sought::Order))?;
    let wish = NewOrder::tickets(order.tickets.iter().map(|ticket| ticket.id));
    match reserve(app, visitor, wish, form, page).await? {
        Reservation::Made(order) => Ok(go(&format!("/orders/{}", order.id))),
        Reservation::Refused(errors) => {
            render(
                app,
                visitor,
                id,
                Answer {
                    errors,
                    declined: None,
                },
            )
            .await
        }
    }
}

/// `GET /orders/{id}/calendar.ics`.
pub(crate) async fn calendar(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Id(id): Id<OrderId>,
) -> Result<Response, Failure> {
    visitor.require()?;
    let order = visitor.api.order(id).await;
    let order = order.map_err(|error| Failure::reading(&error, Sought::Order))?;
    let events = events(&app, &order).await;
    if events.is_empty() {
        return Err(Failure::NotFound(Sought::Page));
    }
    let url = app.site.absolute(&format!("/orders/{id}"));
    let text = calendar::calendar(&events, &url, Timestamp::now());
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/calendar; charset=utf-8"),
        ),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::from_static("attachment; filename=\"tickets.ics\""),
        ),
    ];
    Ok((StatusCode::OK, headers, text).into_response())
}
