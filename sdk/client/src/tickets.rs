//! Tickets.

use bigtix_contracts::api::tickets::Ticket;
use bigtix_contracts::{EventId, TicketId, UserId};
use reqwest::Method;

use crate::call::json;
use crate::list::escape;
use crate::{Call, Client, List, NewTicket, TicketChange};

/// Which tickets a list has, by how they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TicketFilter {
    /// On sale.
    Available,
    /// In an order that is not complete.
    Reserved,
    /// Bought.
    Sold,
    /// Whatever its status.
    All,
}

impl TicketFilter {
    const fn word(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Reserved => "reserved",
            Self::Sold => "sold",
            Self::All => "all",
        }
    }
}

impl List<Ticket> {
    /// Those that stand like this.
    pub fn status(self, status: TicketFilter) -> Self {
        self.with("status", status.word())
    }

    /// Those with these words in what they say, or their event says.
    pub fn matching(self, words: &str) -> Self {
        self.with("q", words)
    }

    /// Those of this event.
    pub fn of_event(self, id: impl ToString) -> Self {
        self.with("eventId", id.to_string())
    }
}

impl Client {
    fn tickets_url(&self, rest: &str) -> String {
        format!("{}/api/tickets{rest}", self.bases.tickets)
    }

    /// What is on sale.
    ///
    /// ```no_run
    /// # async fn example(client: bigtix_client::Client) -> Result<(), bigtix_client::ClientError> {
    /// let page = client.tickets().matching("symphony").limit(20).page().await?;
    /// # Ok(()) }
    /// ```
    pub fn tickets(&self) -> List<Ticket> {
        List::new(self, self.tickets_url(""))
    }

    /// Everything that a seller ever listed.
    pub fn tickets_of(&self, seller: UserId) -> List<Ticket> {
        List::new(self, self.tickets_url(&format!("/user/{seller}")))
    }

    /// Everything that the caller ever listed.
    pub fn my_tickets(&self) -> List<Ticket> {
        List::new(self, self.tickets_url("/currentuser"))
    }

    /// The tickets of an event, withdrawn ones excepted.
    pub fn tickets_of_event(&self, event: EventId) -> List<Ticket> {
        List::new(self, self.tickets_url(&format!("/event/{event}")))
    }

    /// The tickets of an event that are on sale; 404 for an event that is not in the catalogue.
    pub fn available_tickets_of_event(&self, event: EventId) -> List<Ticket> {
        List::new(self, self.tickets_url(&format!("/for-event/{event}")))
    }

    /// One ticket.
    pub fn ticket(&self, id: TicketId) -> Call<Ticket> {
        Call::new(self, Method::GET, self.tickets_url(&format!("/{id}")), json)
    }

    /// The newest ticket with this serial number.
    pub fn ticket_by_serial_number(&self, number: &str) -> Call<Ticket> {
        let url = self.tickets_url(&format!("/serial-number/{}", escape(number)));
        Call::new(self, Method::GET, url, json)
    }

    /// Puts a ticket on sale.
    pub fn list_ticket(&self, ticket: &NewTicket) -> Call<Ticket> {
        Call::new(self, Method::POST, self.tickets_url(""), json).body(ticket)
    }

    /// Puts `quantity` tickets on sale that differ in nothing but their serial numbers; 1 to 1,000.
    pub fn list_tickets(&self, ticket: &NewTicket, quantity: usize) -> Call<Vec<Ticket>> {
        Call::new(self, Method::POST, self.tickets_url(""), json).body(&ticket.times(quantity))
    }

    /// Changes a listing that nobody holds.
    pub fn change_ticket(&self, id: TicketId, change: &TicketChange) -> Call<Ticket> {
        Call::new(self, Method::PATCH, self.tickets_url(&format!("/{id}")), json).body(change)
    }

    /// Takes a listing that nobody holds off sale.
    pub fn withdraw_ticket(&self, id: TicketId) -> Call<Ticket> {
        Call::new(self, Method::DELETE, self.tickets_url(&format!("/{id}")), json)
    }
}
