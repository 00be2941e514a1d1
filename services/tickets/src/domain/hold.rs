//! What the news of orders says about who holds a ticket. News comes late, twice and out of order; whatever the order of
//! arrival, the same hold remains. Of two orders that follow each other within milliseconds no clock can tell the later one, so
//! the store that takes them gives each its turn.

use bigtix_contracts::OrderId;
use bigtix_contracts::api::tickets::TicketStatus;
use bigtix_contracts::events::{OrderState, OrderStatus, Turn};

/// The last that is known of the last order of a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hold {
    pub(crate) order_id: OrderId,
    /// When the order was placed, in milliseconds since 1970, by the store's clock.
    pub(crate) created_millis: i64,
    /// The order's turn; orders of earlier releases have none.
    pub(crate) turn: Option<Turn>,
    /// The order's version.
    pub(crate) version: i64,
    pub(crate) status: OrderStatus,
    /// Whether nobody else can have the ticket.
    pub(crate) holds: bool,
}

impl Hold {
    /// What `order` at `version` says of each of its tickets.
    pub(crate) fn of(order: &OrderState, version: i64) -> Self {
        Self {
            order_id: order.id,
            created_millis: order.created_at.as_millisecond(),
            turn: order.turn,
            version,
            status: order.status,
            holds: order.holds_tickets(),
        }
    }

    /// Whether this is newer than `known`. Of two orders the later one counts: it could be placed only once the
    /// earlier one had let go.
    pub(crate) fn supersedes(&self, known: &Self) -> bool {
        if self.order_id == known.order_id {
            return self.version > known.version;
        }
        if let (Some(turn), Some(known)) = (self.turn, known.turn) {
            return turn > known;
        }
        self.created_millis > known.created_millis
            || (self.created_millis == known.created_millis && self.holds && !known.holds)
    }

    /// The status of a ticket that is not withdrawn, and the order to show.
    pub(crate) fn shown(&self) -> (TicketStatus, Option<OrderId>) {
        if !self.holds {
            return (TicketStatus::Available, None);
        }
        let status = match self.status {
            OrderStatus::Complete | OrderStatus::Refunded => TicketStatus::Sold,
            OrderStatus::Created | OrderStatus::AwaitingPayment | OrderStatus::Cancelled => {
                TicketStatus::Reserved
            }
        };
        (status, Some(self.order_id))
    }
}

/// Whether a listing with this status keeps its serial number for itself.
pub(crate) fn is_open(status: TicketStatus) -> bool {
    match status {
        TicketStatus::Available | TicketStatus::Reserved => true,
        TicketStatus::Sold | TicketStatus::Withdrawn => false,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The lives of orders of one ticket, one after the other, as the orders service would publish them: all with turns, and
    /// clocks that go backwards, or the first of them, or all, by an earlier release, with clocks alone.
    pub(crate) fn histories() -> impl Strategy<Value = Vec<Hold>> {
        let life = prop_oneof![
            Just(vec![
                (OrderStatus::Created, true),
                (OrderStatus::Cancelled, false)
            ]),
            Just(vec![
                (OrderStatus::Created, true),
                (OrderStatus::AwaitingPayment, true),
                (OrderStatus::Cancelled, false)
            ]),
            Just(vec![
                (OrderStatus::Created, true),
                (OrderStatus::AwaitingPayment, true),
                (OrderStatus::Complete, true),
                (OrderStatus::Refunded, false)
            ]),
        ];
        let last = prop_oneof![
            Just(vec![(OrderStatus::Created, true)]),
            Just(vec![
                (OrderStatus::Created, true),
                (OrderStatus::AwaitingPayment, true),
                (OrderStatus::Complete, true)
            ]),
        ];
        (prop::collection::vec(life, 0..4), last, 0_u8..5).prop_map(|(earlier, last, first_turn)| {
            let lives = earlier.into_iter().chain([last]).enumerate();
            lives
                .flat_map(|(order, life)| {
                    let id = u8::try_from(order + 1).unwrap();
                    let turn = (id > first_turn).then_some(Turn {
                        seconds: u32::from(id / 2),
                        ordinal: u32::from(id % 2),
                    });
                    let clock = if first_turn == 0 {
                        100 - i64::from(id)
                    } else {
                        i64::from(id)
                    };
                    life.into_iter()
                        .enumerate()
                        .map(move |(version, (status, holds))| Hold {
                            order_id: OrderId::from_bytes([id; 12]),
                            created_millis: clock,
                            turn,
                            version: i64::try_from(version).unwrap(),
                            status,
                            holds,
                        })
                })
                .collect()
        })
    }

    fn apply(known: Option<Hold>, news: Hold) -> Option<Hold> {
        match known {
            Some(known) if !news.supersedes(&known) => Some(known),
            _ => Some(news),
        }
    }

    proptest! {
        #[test]
        fn whatever_order_the_news_comes_in_the_last_state_remains(
            (history, arrival) in histories().prop_flat_map(|history| {
                let doubled: Vec<Hold> = history.iter().chain(&history).copied().collect();
                (Just(history), Just(doubled).prop_shuffle())
            })
        ) {
            let remaining = arrival.into_iter().fold(None, apply);
            prop_assert_eq!(remaining, history.last().copied());
        }
    }

    #[test]
    fn a_ticket_shows_what_its_order_is() {
        let hold = |status, holds| Hold {
            order_id: OrderId::from_bytes([1; 12]),
            created_millis: 0,
            turn: None,
            version: 0,
            status,
            holds,
        };
        for (status, holds, shown) in [
            (OrderStatus::Created, true, TicketStatus::Reserved),
            (OrderStatus::AwaitingPayment, true, TicketStatus::Reserved),
            (OrderStatus::Complete, true, TicketStatus::Sold),
            (OrderStatus::Refunded, true, TicketStatus::Sold),
            (OrderStatus::Refunded, false, TicketStatus::Available),
            (OrderStatus::Cancelled, false, TicketStatus::Available),
        ] {
            let (seen, order) = hold(status, holds).shown();
            assert_eq!((seen, order.is_some()), (shown, holds), "{status:?} {holds}");
        }
    }
}
