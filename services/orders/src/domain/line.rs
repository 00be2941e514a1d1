//! Who waits for which ticket while a batch is under way.
//!
//! A ticket is in a batch once: two claims on it in one insert would make the store redo the whole batch one by one.
//! Whoever asks for a ticket that the batch holds waits for the first one's fate.

use std::collections::{HashSet, VecDeque};

use bigtix_contracts::TicketId;

/// Something that wants all of some tickets.
pub(crate) trait Wants {
    /// The tickets.
    fn tickets(&self) -> &[TicketId];
}

/// A line of those who wait, first come first served.
#[derive(Debug)]
pub(crate) struct Line<T> {
    waiting: VecDeque<T>,
}

impl<T: Wants> Line<T> {
    /// Nobody waits.
    pub(crate) fn new() -> Self {
        Self {
            waiting: VecDeque::new(),
        }
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether nobody waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Joins the line at its end.
    pub(crate) fn join(&mut self, asker: T) {
        self.waiting.push_back(asker);
    }

    /// Everybody leaves of whom `has_left` says so.
    pub(crate) fn leave(&mut self, has_left: impl Fn(&T) -> bool) {
        self.waiting.retain(|asker| !has_left(asker));
    }

    /// Takes, from the front, up to `cap` askers of whom no two want the same ticket. Nobody overtakes somebody who
    /// wants one of the same tickets.
    pub(crate) fn take_batch(&mut self, cap: usize) -> Vec<T> {
        let mut spoken_for: HashSet<TicketId> = HashSet::new();
        let mut batch = Vec::new();
        let mut kept = VecDeque::with_capacity(self.waiting.len());
        for asker in self.waiting.drain(..) {
            let free = batch.len() < cap && asker.tickets().iter().all(|ticket| !spoken_for.contains(ticket));
            spoken_for.extend(asker.tickets());
            if free {
                batch.push(asker)
            } else {
                kept.push_back(asker)
            }
        }
        self.waiting = kept;
        batch
    }

    /// Takes everybody out of the line who wants one of `tickets`, each with the first such ticket.
    pub(crate) fn take_waiting_for(&mut self, tickets: &HashSet<TicketId>) -> Vec<(T, TicketId)> {
        if tickets.is_empty() {
            return Vec::new();
        }
        let mut taken = Vec::new();
        for asker in std::mem::take(&mut self.waiting) {
            match asker
                .tickets()
                .iter()
                .find(|ticket| tickets.contains(ticket))
                .copied()
            {
                Some(ticket) => taken.push((asker, ticket)),
                None => self.waiting.push_back(asker),
            }
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone, PartialEq)]
    struct Asker(usize, Vec<TicketId>);

    impl Wants for Asker {
        fn tickets(&self) -> &[TicketId] {
            &self.1
        }
    }

    fn ticket(n: u8) -> TicketId {
        TicketId::from_bytes([n; 12])
    }

    fn line(askers: &[Vec<u8>]) -> Line<Asker> {
        let mut line = Line::new();
        for (i, wanted) in askers.iter().enumerate() {
            line.join(Asker(i, wanted.iter().map(|n| ticket(*n)).collect()));
        }
        line
    }

    proptest! {
        #[test]
        fn a_ticket_is_in_a_batch_once_and_nobody_is_lost_or_overtaken(
            askers in proptest::collection::vec(proptest::collection::vec(0_u8..12, 1..4), 1..40),
            cap in 1_usize..10,
        ) {
            let mut line = line(&askers);
            let mut served: Vec<Asker> = Vec::new();
            while !line.is_empty() {
                let batch = line.take_batch(cap);
                prop_assert!(!batch.is_empty() && batch.len() <= cap);
                let wanted: Vec<TicketId> = batch.iter().flat_map(|asker| asker.1.iter().copied().collect::<HashSet<_>>()).collect();
                prop_assert_eq!(wanted.len(), wanted.iter().collect::<HashSet<_>>().len());
                served.extend(batch);
            }
            prop_assert_eq!(served.len(), askers.len());
            for n in 0..12 {
                let turns: Vec<usize> = served.iter().filter(|asker| asker.1.contains(&ticket(n))).map(|asker| asker.0).collect();
                prop_assert!(turns.is_sorted(), "somebody was overtaken for a ticket");
            }
        }
    }

    #[test]
    fn those_who_wait_for_a_ticket_leave_together() {
        let mut line = line(&[vec![1], vec![2, 1], vec![3]]);
        let taken = line.take_waiting_for(&HashSet::from([ticket(1)]));
        assert_eq!(
            taken
                .iter()
                .map(|(asker, ticket)| (asker.0, *ticket))
                .collect::<Vec<_>>(),
            [(0, ticket(1)), (1, ticket(1))]
        );
        assert_eq!(line.len(), 1);
    }
}
