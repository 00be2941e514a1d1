//! Buying, from the reservation to the complete order, and looking.

use std::time::Duration;

use bigtix_client::Token;
use bigtix_contracts::{OrderId, TicketId};

use super::buyers::{Market, unexpected, write_get, write_post};
use super::load::{Step, Tally, Work, closed_loop};
use super::reservations::order_id;

/// A card of the double that needs no form.
const CARD: &str = "pm_card_visa";

/// Orders and pays, again and again.
struct Buying<'a> {
    buyers: &'a [Token],
    next_buyer: usize,
    step: usize,
    tickets: Vec<TicketId>,
    /// The order that is to be paid next.
    order: Option<OrderId>,
}

impl Work for Buying<'_> {
    fn ask(&mut self, request: &mut Vec<u8>) -> bool {
        if let Some(order) = self.order {
            let body = format!("{{\"orderId\":\"{order}\",\"token\":\"{CARD}\"}}");
            write_post(request, "/api/payments", &self.buyers[self.next_buyer], &body);
            return true;
        }
        let Some(ticket) = self.tickets.pop() else {
            return false;
        };
        self.next_buyer = (self.next_buyer + self.step) % self.buyers.len();
        let body = format!("{{\"ticketId\":\"{ticket}\"}}");
        write_post(request, "/api/orders", &self.buyers[self.next_buyer], &body);
        true
    }

    fn hear(&mut self, status: u16, body: &[u8]) -> Step {
        if self.order.take().is_some() {
            let succeeded = b"\"status\":\"succeeded\"";
            return if status == 201 && body.windows(succeeded.len()).any(|words| words == succeeded) {
                Step::Done
            } else {
                Step::Failed(unexpected(status, body))
            };
        }
        self.order = order_id(body).filter(|_| status == 201);
        match self.order {
            Some(_) => Step::More,
            None => Step::Failed(unexpected(status, body)),
        }
    }
}

/// Buys tickets, each its own, by so many clients.
pub async fn complete(market: &Market, clients: usize, tickets: &[TicketId], duration: Duration) -> Tally {
    let share = |client: usize| tickets.iter().skip(client).step_by(clients).copied().collect();
    let work = (0..clients).map(|client| Buying {
        buyers: &market.buyers,
        next_buyer: client,
        step: clients,
        tickets: share(client),
        order: None,
    });
    closed_loop(market.edge, work.collect(), duration).await.1
}

/// What shows a ticket.
#[derive(Debug, Clone, Copy)]
pub enum View {
    /// The answer of the API.
    Api,
    /// The page for people.
    Page,
}

impl View {
    fn path(self, ticket: TicketId) -> String {
        match self {
            Self::Api => format!("/api/tickets/{ticket}"),
            Self::Page => format!("/tickets/{ticket}"),
        }
    }
}

/// Looks at one ticket after the other.
struct Looking<'a> {
    view: View,
    tickets: &'a [TicketId],
    next: usize,
}

impl Work for Looking<'_> {
    fn ask(&mut self, request: &mut Vec<u8>) -> bool {
        // A prime, so that the clients wander apart.
        self.next = (self.next + 7919) % self.tickets.len();
        write_get(request, &self.view.path(self.tickets[self.next]), None);
        true
    }

    fn hear(&mut self, status: u16, body: &[u8]) -> Step {
        match status {
            200 => Step::Done,
            _ => Step::Failed(unexpected(status, body)),
        }
    }
}

/// Looks at tickets, by so many clients.
pub async fn look(
    market: &Market,
    clients: usize,
    view: View,
    tickets: &[TicketId],
    duration: Duration,
) -> Tally {
    let work = (0..clients).map(|client| Looking {
        view,
        tickets,
        next: client,
    });
    closed_loop(market.edge, work.collect(), duration).await.1
}
