//! What a shop promised its buyers, compared with what it says when all is over. Pure: [`super::books`] reads.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use bigtix_contracts::api::orders::StatusWord;
use bigtix_contracts::api::tickets::TicketStatus;
use bigtix_contracts::{OrderId, TicketId};

/// An order that was answered with 201, and what became of it then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// The order.
    pub order: OrderId,
    /// Its ticket.
    pub ticket: TicketId,
    /// Which of the buyers has it.
    pub buyer: usize,
    /// What the buyer was told last.
    pub told: Told,
}

/// What a buyer knows of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// It was placed, and is left as it is.
    Reserved,
    /// It is paid.
    Paid,
    /// It is given up.
    Cancelled,
    /// It was placed; whether it was paid or given up since is not known.
    Unsure,
}

/// What buyers of one event were told.
#[derive(Debug, Default, Clone)]
pub struct Answers {
    /// Orders that were answered with 201.
    pub claims: Vec<Claim>,
    /// How often "sold out" was answered.
    pub sold_out: u64,
    /// Tickets that somebody was told are reserved.
    pub taken: BTreeSet<TicketId>,
    /// Orders that may have been placed.
    pub unknown: u64,
    /// Whether orders end while others are placed, so that a ticket may be free again after a refusal.
    pub gives_back: bool,
}

/// What the shop says of one event when all is over.
#[derive(Debug, Default, Clone)]
pub struct Books {
    /// Every order that was claimed, as its buyer reads it; those that are not there are missing.
    pub orders: BTreeMap<OrderId, OrderRow>,
    /// Every ticket of the event.
    pub tickets: Vec<TicketRow>,
}

/// What counts of an order; there may be a million.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRow {
    /// Where it stands.
    pub status: StatusWord,
    /// Its tickets.
    pub tickets: Vec<TicketId>,
}

/// What counts of a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TicketRow {
    /// The ticket.
    pub id: TicketId,
    /// Where it stands.
    pub status: TicketStatus,
    /// The order that has it.
    pub order: Option<OrderId>,
}

/// A promise that was not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Breach {
    /// An order was answered with 201 and is not there.
    OrderGone(OrderId),
    /// An order is not what its buyer was told.
    OrderDiffers(OrderId, &'static str),
    /// Two orders have one ticket.
    SoldTwice(TicketId, OrderId, OrderId),
    /// An order has a ticket that the event does not have.
    ForeignTicket(OrderId, TicketId),
    /// The list of tickets says something else of a ticket than its order.
    ListDiffers(TicketId),
    /// More tickets are held than orders were placed, known or unknown.
    HeldByNobody {
        /// Tickets whose order nobody placed.
        held: u64,
        /// Orders that may have been placed.
        unknown: u64,
    },
    /// "Sold out" was answered while tickets were free, which were free all the time.
    RefusedWhileFree {
        /// How often.
        refused: u64,
        /// How many are.
        free: u64,
    },
    /// "Reserved" was answered for a ticket that is free, and was all the time.
    RefusedThoughFree(TicketId),
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OrderGone(order) => write!(f, "order {order} was answered with 201 and is not there"),
            Self::OrderDiffers(order, told) => {
                write!(f, "order {order} is not {told}, as its buyer was told")
            }
            Self::SoldTwice(ticket, one, other) => {
                write!(f, "ticket {ticket} is in the orders {one} and {other}")
            }
            Self::ForeignTicket(order, ticket) => {
                write!(f, "order {order} has ticket {ticket}, which was not on offer")
            }
            Self::ListDiffers(ticket) => write!(
                f,
                "the list says something else of ticket {ticket} than its order"
            ),
            Self::HeldByNobody { held, unknown } => write!(
                f,
                "{held} tickets are held by orders that nobody placed, and the outcome of {unknown} is unknown"
            ),
            Self::RefusedWhileFree { refused, free } => {
                write!(
                    f,
                    "{refused} buyers were told \"sold out\", and {free} tickets are free"
                )
            }
            Self::RefusedThoughFree(ticket) => {
                write!(
                    f,
                    "a buyer was told that ticket {ticket} is reserved, and it is free"
                )
            }
        }
    }
}

/// What came of an event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Sales {
    /// Tickets on offer.
    pub stock: u64,
    /// Tickets in an order that has not ended.
    pub held: u64,
    /// Those of them that are paid.
    pub paid: u64,
    /// Tickets that are free.
    pub free: u64,
}

impl std::ops::AddAssign for Sales {
    fn add_assign(&mut self, other: Self) {
        self.stock += other.stock;
        self.held += other.held;
        self.paid += other.paid;
        self.free += other.free;
    }
}

impl OrderRow {
    /// Whether an order in this state has its tickets.
    pub fn holds(&self) -> bool {
        use StatusWord::{AwaitingPayment, Cancelled, Complete, Created, Expired, Failed, Paid, Refunded};
        match self.status {
            Created | AwaitingPayment | Complete | Paid => true,
            Expired | Failed | Cancelled | Refunded => false,
        }
    }

    fn is_paid(&self) -> bool {
        matches!(self.status, StatusWord::Complete | StatusWord::Paid)
    }
}

/// Compares what buyers of an event were told with the shop's books.
pub fn audit(answers: &Answers, books: &Books) -> (Sales, Vec<Breach>) {
    let mut breaches = Vec::new();
    let holders = holders(answers, books, &mut breaches);
    let offered: BTreeSet<TicketId> = books.tickets.iter().map(|ticket| ticket.id).collect();
    for (ticket, holder) in &holders {
        if !offered.contains(ticket) {
            breaches.push(Breach::ForeignTicket(holder.order, *ticket));
        }
    }
    let mut sales = Sales::default();
    let mut held_by_nobody = 0;
    for ticket in &books.tickets {
        sales.stock += 1;
        match (holders.get(&ticket.id), ticket.status) {
            (None, TicketStatus::Available) => {
                sales.free += 1;
                if answers.taken.contains(&ticket.id) && !answers.gives_back {
                    breaches.push(Breach::RefusedThoughFree(ticket.id));
                }
            }
            (None, TicketStatus::Reserved | TicketStatus::Sold) => held_by_nobody += 1,
            (Some(holder), _) if holder.is_shown_by(ticket) => {
                sales.held += 1;
                sales.paid += u64::from(holder.is_paid);
            }
            (None, TicketStatus::Withdrawn) | (Some(_), _) => breaches.push(Breach::ListDiffers(ticket.id)),
        }
    }
    if held_by_nobody > answers.unknown {
        breaches.push(Breach::HeldByNobody {
            held: held_by_nobody,
            unknown: answers.unknown,
        });
    }
    sales.held += held_by_nobody;
    if answers.sold_out > 0 && sales.free > 0 && !answers.gives_back {
        breaches.push(Breach::RefusedWhileFree {
            refused: answers.sold_out,
            free: sales.free,
        });
    }
    (sales, breaches)
}

/// Who has a ticket.
struct Holder {
    order: OrderId,
    is_paid: bool,
}

impl Holder {
    fn is_shown_by(&self, ticket: &TicketRow) -> bool {
        let expected = if self.is_paid {
            TicketStatus::Sold
        } else {
            TicketStatus::Reserved
        };
        ticket.status == expected && ticket.order == Some(self.order)
    }
}

/// Which order has which ticket, by the orders themselves.
fn holders(answers: &Answers, books: &Books, breaches: &mut Vec<Breach>) -> BTreeMap<TicketId, Holder> {
    let mut holders: BTreeMap<TicketId, Holder> = BTreeMap::new();
    for claim in &answers.claims {
        let Some(row) = books.orders.get(&claim.order) else {
            breaches.push(Breach::OrderGone(claim.order));
            continue;
        };
        let expected = expectation(claim, row, answers.gives_back);
        breaches.extend(expected.map(|told| Breach::OrderDiffers(claim.order, told)));
        if !row.holds() {
            continue;
        }
        for ticket in &row.tickets {
            let holder = Holder {
                order: claim.order,
                is_paid: row.is_paid(),
            };
            if let Some(other) = holders.insert(*ticket, holder) {
                breaches.push(Breach::SoldTwice(*ticket, other.order, claim.order));
            }
        }
    }
    holders
}

/// What an order is not, although its buyer was told so.
fn expectation(claim: &Claim, row: &OrderRow, gives_back: bool) -> Option<&'static str> {
    let (held, paid) = (row.holds(), row.is_paid());
    if !row.tickets.contains(&claim.ticket) {
        return Some("of that ticket");
    }
    match claim.told {
        Told::Paid if !paid => Some("paid"),
        Told::Cancelled if held => Some("given up"),
        Told::Reserved if paid => Some("unpaid"),
        // Whoever leaves an order alone keeps it, unless its time is over.
        Told::Reserved if !held && !gives_back => Some("held"),
        Told::Paid | Told::Cancelled | Told::Reserved | Told::Unsure => None,
    }
}

#[cfg(test)]
mod tests;
