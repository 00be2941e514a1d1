//! Reserving, which several pages do.

use bigtix_client::{ClientError, NewOrder};
use bigtix_contracts::api::orders::Order;
use bigtix_contracts::{ErrorCode, EventId};

use crate::App;
use crate::failure::Failure;
use crate::forms::{Errors, Form, LocalPath};
use crate::session::Visitor;

/// What a reservation came to.
pub(crate) enum Reservation {
    Made(Box<Order>),
    /// It was refused, for reasons that a person understands.
    Refused(Errors),
}

/// Reserves, once for the form's key. Visitors who are not signed in are sent to sign in and come back to `page`.
pub(crate) async fn reserve(
    app: &App,
    visitor: &Visitor,
    wish: NewOrder,
    form: Form,
    page: &LocalPath,
) -> Result<Reservation, Failure> {
    if let Err(failure) = visitor.require() {
        return Err(match failure {
            Failure::SignIn { back: _ } => Failure::SignIn { back: page.clone() },
            other => other,
        });
    }
    match visitor
        .api
        .place_order(&wish)
        .idempotency_key(form.key_for(&wish))
        .await
    {
        Ok(order) => {
            for ticket in &order.tickets {
                let event: Option<EventId> = ticket.event_id.as_deref().and_then(|id| id.parse().ok());
                app.reads.forget(ticket.id, event).await;
            }
            Ok(Reservation::Made(Box::new(order)))
        }
        Err(error) => match refusal(&error) {
            Some(words) => Ok(Reservation::Refused(Errors::general(words))),
            None => Err(Failure::sending(&error, page, form)),
        },
    }
}

/// Why a reservation was refused, in words for the buyer; none when it is not known what came of it.
fn refusal(error: &ClientError) -> Option<String> {
    let problem = error.problem()?;
    let words = match problem.code {
        ErrorCode::TicketReserved => {
            "Somebody else has just reserved this. It comes back if they do not pay in time."
        }
        ErrorCode::TicketNotForSale => "The seller has just taken this off sale.",
        ErrorCode::SoldOut => "There are not that many tickets left. Choose fewer, or try again in a moment.",
        ErrorCode::TicketsApart => {
            "These tickets cannot be reserved together. Reserve those of each event on their own."
        }
        ErrorCode::OwnTicket => "This is your own listing, so you cannot buy it.",
        ErrorCode::TooManyHeld => {
            "You hold too many unpaid tickets. Pay for an order, or cancel one, and try again."
        }
        ErrorCode::PriceChanged => {
            "The price has changed while you looked. Nothing is reserved. Look at the new price and try again."
        }
        ErrorCode::TotalTooLarge => "This comes to more than can be paid at once. Choose fewer tickets.",
        ErrorCode::NotFound => "There is no such ticket any more.",
        ErrorCode::ValidationFailed => return Some(problem.errors.first()?.message.clone()),
        _ => return None,
    };
    Some(words.to_owned())
}
