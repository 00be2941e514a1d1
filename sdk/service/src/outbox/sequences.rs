//! Which messages on the stream are not ours.
//!
//! An instance that lost the lease while its connection was broken may send what it still had in its buffers when the
//! connection is back, after its successor has published newer versions. As the stream keeps the last message of a
//! subject, an old version would then stand for the newest one.

use std::collections::BTreeSet;

/// The sequences that were acknowledged to us.
#[derive(Debug)]
pub(crate) struct Sequences {
    /// All up to this one are accounted for.
    up_to: u64,
    beyond: BTreeSet<u64>,
}

impl Sequences {
    /// Everything up to `last` was there before us.
    pub(crate) fn after(last: u64) -> Self {
        Self {
            up_to: last,
            beyond: BTreeSet::new(),
        }
    }

    /// This one is ours.
    pub(crate) fn note(&mut self, sequence: u64) {
        if sequence > self.up_to {
            self.beyond.insert(sequence);
            self.advance();
        }
    }

    /// Those up to `horizon` that are not ours. They are not told again.
    pub(crate) fn strangers(&mut self, horizon: u64) -> Vec<u64> {
        let strangers = (self.up_to + 1..=horizon)
            .filter(|sequence| !self.beyond.contains(sequence))
            .collect();
        self.up_to = self.up_to.max(horizon);
        self.beyond = self.beyond.split_off(&(self.up_to + 1));
        self.advance();
        strangers
    }

    fn advance(&mut self) {
        while self.beyond.remove(&(self.up_to + 1)) {
            self.up_to += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acknowledgements_in_any_order_leave_no_stranger() {
        let mut sequences = Sequences::after(10);
        for sequence in [12, 11, 14, 13, 13] {
            sequences.note(sequence);
        }
        assert_eq!(sequences.strangers(14), [] as [u64; 0]);
    }

    #[test]
    fn what_nobody_acknowledged_to_us_is_told_once() {
        let mut sequences = Sequences::after(10);
        for sequence in [11, 13, 16] {
            sequences.note(sequence);
        }
        assert_eq!(sequences.strangers(14), [12, 14]);
        assert_eq!(sequences.strangers(16), [15]);
        sequences.note(17);
        assert_eq!(sequences.strangers(17), [] as [u64; 0]);
    }
}
