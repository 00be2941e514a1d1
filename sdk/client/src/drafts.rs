//! Bodies of requests. Money is whole cents here and decimal dollars on the wire.

use bigtix_contracts::{Cents, Dollars, TicketId};
use jiff::Timestamp;
use serde::Serialize;

/// A ticket to be listed.
///
/// ```
/// use bigtix_client::NewTicket;
/// use bigtix_contracts::Cents;
///
/// let ticket = NewTicket::new("Row F, seat 12", Cents(19_99)).description("Aisle").serial_number("F-12");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewTicket {
    title: String,
    price: Dollars,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quantity: Option<usize>,
}

impl NewTicket {
    /// A ticket with this title (1 to 125 characters) at this price (0.50 to 99,999.99 dollars).
    #[must_use]
    pub fn new(title: impl Into<String>, price: Cents) -> Self {
        Self {
            title: title.into(),
            price: Dollars(price),
            description: None,
            serial_number: None,
            event_id: None,
            quantity: None,
        }
    }

    /// Up to 2,000 characters.
    #[must_use]
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = Some(text.into());
        self
    }

    /// What is printed on it; generated when it is not given.
    #[must_use]
    pub fn serial_number(mut self, number: impl Into<String>) -> Self {
        self.serial_number = Some(number.into());
        self
    }

    /// The catalogue's event that it is for.
    #[must_use]
    pub fn event(mut self, id: impl ToString) -> Self {
        self.event_id = Some(id.to_string());
        self
    }

    /// So many of them, each with a serial number of its own.
    pub(crate) fn times(&self, quantity: usize) -> Self {
        Self {
            quantity: Some(quantity),
            ..self.clone()
        }
    }
}

/// What changes about a listing; what is not named stays as it is.
///
/// ```
/// use bigtix_client::TicketChange;
/// use bigtix_contracts::Cents;
///
/// let cheaper = TicketChange::default().price(Cents(15_00)).based_on(3);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TicketChange {
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<Dollars>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<i64>,
}

impl TicketChange {
    /// Another title.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Another price.
    #[must_use]
    pub fn price(mut self, price: Cents) -> Self {
        self.price = Some(Dollars(price));
        self
    }

    /// Another description.
    #[must_use]
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = Some(text.into());
        self
    }

    /// Refuses the change, with 409, if the ticket is not at this version any more.
    #[must_use]
    pub fn based_on(mut self, version: i64) -> Self {
        self.version = Some(version);
        self
    }
}

/// An event for the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewEvent {
    /// Such as "Symphony No. 9".
    pub title: String,
    /// Such as "Town Hall".
    pub venue: String,
    /// Such as "Springfield".
    pub city: String,
    /// When it begins.
    pub starts_at: Timestamp,
    /// IANA name of the venue's time zone.
    pub time_zone: String,
    /// Address of a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Up to 2,000 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct TicketRef {
    id: TicketId,
}

/// What a buyer wants.
///
/// ```
/// use bigtix_client::NewOrder;
/// use bigtix_contracts::Cents;
///
/// let two_of_them = NewOrder::any_of("64b0c0ffee0000000000beef", 2).expected_total(Cents(40_00));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewOrder {
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket_id: Option<TicketId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tickets: Option<Vec<TicketRef>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quantity: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected_total: Option<Dollars>,
}

impl NewOrder {
    const NOTHING: Self = Self {
        ticket_id: None,
        tickets: None,
        event_id: None,
        quantity: None,
        expected_total: None,
    };

    /// This ticket.
    #[must_use]
    pub fn ticket(id: TicketId) -> Self {
        Self {
            ticket_id: Some(id),
            ..Self::NOTHING
        }
    }

    /// These tickets, 1 to 20 different ones, all or nothing.
    #[must_use]
    pub fn tickets(ids: impl IntoIterator<Item = TicketId>) -> Self {
        Self {
            tickets: Some(ids.into_iter().map(|id| TicketRef { id }).collect()),
            ..Self::NOTHING
        }
    }

    /// The cheapest free tickets of this event, 1 to 20.
    #[must_use]
    pub fn any_of(event: impl ToString, quantity: usize) -> Self {
        Self {
            event_id: Some(event.to_string()),
            quantity: Some(quantity),
            ..Self::NOTHING
        }
    }

    /// Refuses the order, with 409, if it comes to another total.
    #[must_use]
    pub fn expected_total(mut self, total: Cents) -> Self {
        self.expected_total = Some(Dollars(total));
        self
    }
}
