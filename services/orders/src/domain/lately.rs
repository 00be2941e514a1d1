//! Which tickets were seen to be held of late.
//!
//! Only a hint about what to ask first: whether a ticket is held is known to the store alone.

use std::collections::HashSet;

use bigtix_contracts::TicketId;

/// So many are remembered at least, and twice as many at most.
const MOST: usize = 50_000;

/// Tickets that were held when somebody last asked; the oldest are forgotten by halves.
#[derive(Debug, Default)]
pub(crate) struct HeldLately {
    newer: HashSet<TicketId>,
    older: HashSet<TicketId>,
}

impl HeldLately {
    /// Somebody holds `ticket`.
    pub(crate) fn note(&mut self, ticket: TicketId) {
        if self.newer.len() == MOST {
            self.older = std::mem::take(&mut self.newer);
        }
        self.newer.insert(ticket);
    }

    /// Nobody seems to hold `ticket` any more.
    pub(crate) fn forget(&mut self, ticket: TicketId) {
        self.newer.remove(&ticket);
        self.older.remove(&ticket);
    }

    /// Whether one of `tickets` was held when somebody last asked.
    pub(crate) fn has_any(&self, tickets: &[TicketId]) -> bool {
        let has = |ticket| self.newer.contains(ticket) || self.older.contains(ticket);
        tickets.iter().any(has)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticket(number: usize) -> TicketId {
        let mut bytes = [0; 12];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        TicketId::from_bytes(bytes)
    }

    #[test]
    fn what_was_noted_is_known_until_it_is_forgotten() {
        let mut held = HeldLately::default();
        held.note(ticket(1));
        assert!(held.has_any(&[ticket(0), ticket(1)]));
        assert!(!held.has_any(&[ticket(0)]));
        held.forget(ticket(1));
        assert!(!held.has_any(&[ticket(1)]));
    }

    #[test]
    fn the_newest_are_known_and_there_is_an_end_to_them() {
        let mut held = HeldLately::default();
        for number in 0..3 * MOST {
            held.note(ticket(number));
            assert!(held.newer.len() + held.older.len() <= 2 * MOST);
        }
        assert!((2 * MOST..3 * MOST).all(|number| held.has_any(&[ticket(number)])));
        assert!(!held.has_any(&[ticket(0)]));
        // A ticket that is in both halves is forgotten in both.
        held.note(ticket(MOST));
        held.forget(ticket(MOST));
        assert!(!held.has_any(&[ticket(MOST)]));
    }
}
