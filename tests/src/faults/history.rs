//! What buyers and sellers did and what they were answered: the record that the checkers read.

use std::sync::{Mutex, PoisonError};

use bigtix_contracts::api::orders::Order;
use bigtix_contracts::api::payments::Payment;
use bigtix_contracts::api::tickets::Ticket;
use bigtix_contracts::{Cents, EventId, OrderId, TicketId, UserId};

/// A point of this machine's clock, in microseconds since 1970. The stores share that clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub i64);

impl Moment {
    /// The present one.
    #[must_use]
    pub fn now() -> Self {
        Self(jiff::Timestamp::now().as_microsecond())
    }

    /// So many milliseconds later, or earlier.
    #[must_use]
    pub fn plus_millis(self, millis: i64) -> Self {
        Self(self.0 + millis * 1_000)
    }

    /// Seconds since an earlier moment.
    #[must_use]
    pub fn seconds_since(self, earlier: Self) -> f64 {
        (self.0 - earlier.0) as f64 / 1e6
    }
}

/// What somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// An account.
    SignUp {
        /// Under which address.
        email: String,
    },
    /// Tickets on sale.
    List {
        /// How many.
        quantity: usize,
    },
    /// Another price.
    Edit {
        /// Of which ticket.
        ticket: TicketId,
        /// Which price.
        price: Cents,
    },
    /// A ticket off sale.
    Withdraw {
        /// Which one.
        ticket: TicketId,
    },
    /// These tickets, all or nothing.
    Place {
        /// Which ones.
        tickets: Vec<TicketId>,
    },
    /// The cheapest free tickets.
    PlaceAny {
        /// Of which event.
        event: EventId,
        /// How many.
        quantity: usize,
    },
    /// To pay.
    Pay {
        /// For which order.
        order: OrderId,
    },
    /// To go on with a payment after the bank's question.
    Continue {
        /// For which order.
        order: OrderId,
    },
    /// No order any more.
    Cancel {
        /// Which one.
        order: OrderId,
    },
    /// The buyer's money back.
    Refund {
        /// For which order.
        order: OrderId,
        /// Whether its tickets go back on sale.
        relist: bool,
    },
    /// How an order stands.
    ReadOrder {
        /// Which one.
        order: OrderId,
    },
    /// All of one's own orders.
    ReadOrders,
    /// To be believed without a signature of Stripe's.
    Forge,
    /// How a ticket stands.
    ReadTicket {
        /// Which one.
        ticket: TicketId,
    },
    /// How an order's payment stands.
    ReadPayment {
        /// Of which order.
        order: OrderId,
    },
}

impl Action {
    /// Its route as the OpenAPI documents write it: the service, the method, the path.
    #[must_use]
    pub fn route(&self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::SignUp { .. } => ("auth", "post", "/api/users/signup"),
            Self::List { .. } => ("tickets", "post", "/api/tickets"),
            Self::Edit { .. } => ("tickets", "patch", "/api/tickets/{id}"),
            Self::Withdraw { .. } => ("tickets", "delete", "/api/tickets/{id}"),
            Self::Place { .. } | Self::PlaceAny { .. } => ("orders", "post", "/api/orders"),
            Self::Pay { .. } => ("payments", "post", "/api/payments"),
            Self::Continue { .. } => ("payments", "post", "/api/payments/{orderId}/continue"),
            Self::Cancel { .. } => ("orders", "delete", "/api/orders/{id}"),
            Self::Refund { .. } => ("payments", "post", "/api/payments/{orderId}/refund"),
            Self::Forge => ("payments", "post", "/api/webhooks/stripe"),
            Self::ReadOrder { .. } => ("orders", "get", "/api/orders/{id}"),
            Self::ReadOrders => ("orders", "get", "/api/orders"),
            Self::ReadTicket { .. } => ("tickets", "get", "/api/tickets/{id}"),
            Self::ReadPayment { .. } => ("payments", "get", "/api/payments/{orderId}"),
        }
    }

    /// A word for tables.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::SignUp { .. } => "sign up",
            Self::List { .. } => "list",
            Self::Edit { .. } => "edit",
            Self::Withdraw { .. } => "withdraw",
            Self::Place { .. } => "place",
            Self::PlaceAny { .. } => "place any",
            Self::Pay { .. } => "pay",
            Self::Continue { .. } => "continue",
            Self::Cancel { .. } => "cancel",
            Self::Refund { .. } => "refund",
            Self::Forge => "forge",
            Self::ReadOrder { .. } => "read order",
            Self::ReadOrders => "read orders",
            Self::ReadTicket { .. } => "read ticket",
            Self::ReadPayment { .. } => "read payment",
        }
    }
}

/// What a 2xx showed.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    /// Nothing that is looked at.
    Nothing,
    /// An account.
    User(UserId),
    /// One or more tickets.
    Tickets(Vec<Ticket>),
    /// One order.
    Order(Box<Order>),
    /// A page of orders.
    Orders(Vec<Order>),
    /// A payment.
    Payment(Box<Payment>),
}

/// How it ended, as far as who asked can know.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It happened: 2xx.
    Ok {
        /// The status.
        status: u16,
        /// What the body said.
        seen: Seen,
    },
    /// It did not happen: 4xx.
    Failed {
        /// The status.
        status: u16,
        /// The problem's code.
        code: String,
    },
    /// Nobody knows: 5xx, or no answer.
    Unknown {
        /// The status; none without an answer.
        status: Option<u16>,
    },
}

impl Outcome {
    /// The status, if there was an answer.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Ok { status, .. } | Self::Failed { status, .. } => Some(*status),
            Self::Unknown { status } => *status,
        }
    }
}

/// One request with its answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// Who asked; none before there is an account.
    pub user: Option<UserId>,
    /// For what.
    pub action: Action,
    /// With which idempotency key.
    pub key: Option<String>,
    /// When the request was sent.
    pub invoked: Moment,
    /// When the answer was there, or not waited for any more.
    pub finished: Moment,
    /// How it ended.
    pub outcome: Outcome,
}

impl Operation {
    /// What its 2xx showed.
    #[must_use]
    pub fn seen(&self) -> Option<&Seen> {
        match &self.outcome {
            Outcome::Ok { status: _, seen } => Some(seen),
            Outcome::Failed { .. } | Outcome::Unknown { .. } => None,
        }
    }

    /// Whether it may have had its effect.
    #[must_use]
    pub fn may_have_happened(&self) -> bool {
        match self.outcome {
            Outcome::Ok { .. } | Outcome::Unknown { .. } => true,
            Outcome::Failed { .. } => false,
        }
    }
}

/// Takes down what happens, from many tasks.
#[derive(Debug, Default)]
pub struct Recorder(Mutex<Vec<Operation>>);

impl Recorder {
    /// Takes down one operation.
    pub fn record(&self, operation: Operation) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(operation);
    }

    /// Everything so far, in the order in which it ended.
    #[must_use]
    pub fn operations(&self) -> Vec<Operation> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
