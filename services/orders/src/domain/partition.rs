//! How orders are spread over partitions: where an event, a ticket and an order belong.
//!
//! What is stored depends on every line of this, so none of it may ever say something else about the same thing.

use bigtix_contracts::events::OrderTicket;
use bigtix_contracts::{EventId, OrderId, TicketId};
use sha2::{Digest, Sha256};

/// The most partitions, as the id of an order tells its own in one byte.
pub(crate) const MOST: usize = 256;
/// Which byte: the first of the five that are random in an id made of time, process and counter, so that ids go on in the
/// order of time and stay different.
const PARTITION_BYTE: usize = 4;

/// One of the partitions, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct PartitionId(u8);

impl PartitionId {
    /// Its place in a list of all.
    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// How many partitions there are, and thereby what belongs to which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Partitioner {
    last: u8,
}

impl Partitioner {
    /// So many partitions; `None` for none and for more than [`MOST`].
    pub(crate) fn new(count: usize) -> Option<Self> {
        let last = u8::try_from(count.checked_sub(1)?).ok()?;
        Some(Self { last })
    }

    /// Whether there is more than one.
    pub(crate) fn is_plural(self) -> bool {
        self.last > 0
    }

    /// Every partition with what belongs to it, in order.
    pub(crate) fn shares(self) -> impl Iterator<Item = Share> {
        (0..=self.last).map(move |id| Share {
            id: PartitionId(id),
            partitioner: self,
        })
    }

    /// The partition of everything about an event.
    pub(crate) fn of_event(self, event: &str) -> PartitionId {
        // An id has two spellings. Tickets know the one in lower case; buyers may send the other one.
        self.of_key(|| match event.parse::<EventId>() {
            Ok(id) => id.to_string(),
            Err(_) => event.to_owned(),
        })
    }

    /// The partition of a ticket, which is its event's; one without an event goes by its own id.
    pub(crate) fn of_ticket(self, ticket: TicketId, event: Option<&str>) -> PartitionId {
        match event {
            Some(event) => self.of_event(event),
            None => self.of_key(|| ticket.to_string()),
        }
    }

    /// The partition that an order's id names, if there is one. Where there is one alone, all ids are its own.
    pub(crate) fn of_order(self, order: OrderId) -> Option<PartitionId> {
        let id = match self.is_plural() {
            true => order.bytes()[PARTITION_BYTE],
            false => 0,
        };
        (id <= self.last).then_some(PartitionId(id))
    }

    /// The first eight bytes of the key's SHA-256, the highest first, modulo the number of partitions. Where there is one, no key
    /// is made.
    fn of_key(self, key: impl FnOnce() -> String) -> PartitionId {
        if !self.is_plural() {
            return PartitionId(0);
        }
        let digest = Sha256::digest(key());
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        let remainder = u64::from_be_bytes(first) % (u64::from(self.last) + 1);
        PartitionId(u8::try_from(remainder).expect("a remainder is below its modulus, which is 256 at most"))
    }
}

/// What belongs to one partition.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Share {
    id: PartitionId,
    partitioner: Partitioner,
}

impl Share {
    /// Whether an order with this ticket is placed here. Only here would its claim meet the others on the ticket.
    pub(crate) fn has(self, ticket: &OrderTicket) -> bool {
        self.partitioner.of_ticket(ticket.id, ticket.event_id.as_deref()) == self.id
    }

    /// The id of an order that is placed here, made of one that may be anybody's.
    pub(crate) fn order_id(self, id: OrderId) -> OrderId {
        let mut bytes = id.bytes();
        if self.partitioner.is_plural() {
            bytes[PARTITION_BYTE] = self.id.0;
        }
        OrderId::from_bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn of(count: usize) -> Partitioner {
        Partitioner::new(count).unwrap()
    }

    /// Orders stand where these say: a value that changes loses them.
    #[test]
    fn an_event_stays_in_its_partition_for_ever() {
        let places = |count: usize| {
            ["64b0c0ffee0000000000beef", "Concert-7", ""].map(|event| of(count).of_event(event).index())
        };
        assert_eq!(
            [places(2), places(3), places(10), places(256)],
            [[1, 1, 0], [1, 2, 1], [3, 9, 2], [5, 179, 20]]
        );
        let ticket = TicketId::from_bytes([7; 12]);
        assert_eq!(of(10).of_ticket(ticket, None).index(), 5);
        assert_eq!(
            of(10).of_ticket(ticket, Some("Concert-7")),
            of(10).of_event("Concert-7")
        );
    }

    #[test]
    fn an_event_has_one_place_in_whatever_spelling() {
        for count in 2..20 {
            assert_eq!(
                of(count).of_event("64B0C0FFEE0000000000BEEF"),
                of(count).of_event("64b0c0ffee0000000000beef")
            );
        }
    }

    #[test]
    fn there_are_1_to_256() {
        assert_eq!(Partitioner::new(0), None);
        assert_eq!(of(MOST).shares().count(), MOST);
        assert_eq!(Partitioner::new(MOST + 1), None);
    }

    #[test]
    fn events_are_spread_evenly() {
        let mut counts = [0; 10];
        for n in 0..10_000 {
            counts[of(10).of_event(&format!("event-{n}")).index()] += 1;
        }
        assert!(
            counts.iter().all(|count| (850..1150).contains(count)),
            "{counts:?}"
        );
    }

    #[test]
    fn an_id_that_names_no_partition_is_nobodys() {
        let mut bytes = [0; 12];
        bytes[PARTITION_BYTE] = 2;
        let id = OrderId::from_bytes(bytes);
        assert_eq!(of(2).of_order(id), None);
        assert_eq!(of(3).of_order(id), Some(PartitionId(2)));
    }

    proptest! {
        #[test]
        fn an_orders_id_leads_back_to_its_partition(bytes: [u8; 12], count in 1..=MOST) {
            let id = OrderId::from_bytes(bytes);
            let mut ids = HashSet::new();
            for share in of(count).shares() {
                let stamped = share.order_id(id);
                prop_assert_eq!(of(count).of_order(stamped), Some(share.id));
                prop_assert_eq!(share.order_id(stamped), stamped);
                ids.insert(stamped);
            }
            prop_assert_eq!(ids.len(), count);
            prop_assert!(count > 1 || ids.contains(&id), "a shop of one partition has the ids that it would have anyway");
        }
    }
}
