//! What is on its way. Many messages are, but of one aggregate only one at a time, so that the stream's order is the
//! versions' order; and the position in the change stream moves only past changes that have arrived.

use std::collections::{HashMap, VecDeque};

use super::Message;

/// Bookkeeping of the messages under way; it sends nothing itself. `P` is a position in the change stream.
#[derive(Debug)]
pub(crate) struct Pipeline<P> {
    /// Changes that were taken in, oldest first, until everything up to them has arrived.
    changes: VecDeque<Change<P>>,
    /// The number of the first of `changes`.
    first: u64,
    /// By subject.
    busy: HashMap<String, Busy>,
    safe: Option<P>,
}

#[derive(Debug)]
struct Change<P> {
    position: Option<P>,
    arrived: bool,
}

/// An aggregate with a message under way.
#[derive(Debug)]
struct Busy {
    version: i64,
    /// The changes that this message brings.
    brings: Vec<u64>,
    /// What came since; the newest is enough.
    next: Option<(Message, Vec<u64>)>,
}

impl<P> Pipeline<P> {
    pub(crate) fn new() -> Self {
        Self {
            changes: VecDeque::new(),
            first: 0,
            busy: HashMap::new(),
            safe: None,
        }
    }

    /// Takes in a change. The message comes back when it is to be sent now.
    pub(crate) fn offer(&mut self, message: Message) -> Option<Message> {
        let change = self.take_in(None);
        let Some(busy) = self.busy.get_mut(&message.subject) else {
            self.busy.insert(
                message.subject.clone(),
                Busy {
                    version: message.version,
                    brings: vec![change],
                    next: None,
                },
            );
            return Some(message);
        };
        if message.version <= busy.version {
            busy.brings.push(change);
            return None;
        }
        let (newest, mut brings) = match busy.next.take() {
            Some((waiting, brings)) if waiting.version >= message.version => (waiting, brings),
            Some((_, brings)) => (message, brings),
            None => (message, Vec::new()),
        };
        brings.push(change);
        busy.next = Some((newest, brings));
        None
    }

    /// Takes in a position, which counts once everything before it has arrived.
    pub(crate) fn pass(&mut self, position: P) {
        let change = self.take_in(Some(position));
        self.arrive(&[change]);
    }

    /// The message of `subject` has arrived. The next one of the same aggregate comes back when there is one.
    pub(crate) fn arrived(&mut self, subject: &str) -> Option<Message> {
        let mut done = self.busy.remove(subject)?;
        self.arrive(&done.brings);
        let (message, brings) = done.next.take()?;
        self.busy.insert(
            subject.to_owned(),
            Busy {
                version: message.version,
                brings,
                next: None,
            },
        );
        Some(message)
    }

    /// The position up to which everything has arrived, if it moved since the last call.
    pub(crate) fn take_safe(&mut self) -> Option<P> {
        self.safe.take()
    }

    /// How many changes have not arrived, or wait for one that has not.
    pub(crate) fn len(&self) -> usize {
        self.changes.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    fn take_in(&mut self, position: Option<P>) -> u64 {
        self.changes.push_back(Change {
            position,
            arrived: false,
        });
        self.first + self.changes.len() as u64 - 1
    }

    fn arrive(&mut self, changes: &[u64]) {
        for change in changes {
            let index = usize::try_from(change - self.first).expect("fits, as the changes are in memory");
            self.changes[index].arrived = true;
        }
        while self.changes.front().is_some_and(|change| change.arrived) {
            let change = self.changes.pop_front().expect("there is a front");
            self.first += 1;
            if change.position.is_some() {
                self.safe = change.position;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn message(aggregate: &str, version: i64) -> Message {
        Message {
            id: format!("{aggregate}:{version}"),
            subject: aggregate.to_owned(),
            version,
            occurred_at: Timestamp::UNIX_EPOCH,
            traceparent: None,
            payload: Vec::new(),
        }
    }

    #[test]
    fn the_position_waits_for_the_slowest_message() {
        let mut pipeline = Pipeline::new();
        assert!(pipeline.offer(message("a", 1)).is_some());
        pipeline.pass(1);
        assert!(pipeline.offer(message("b", 1)).is_some());
        pipeline.pass(2);
        pipeline.pass(3);
        pipeline.arrived("b");
        assert_eq!(pipeline.take_safe(), None);
        pipeline.arrived("a");
        assert_eq!(pipeline.take_safe(), Some(3));
        assert_eq!(pipeline.take_safe(), None);
        assert!(pipeline.is_empty());
    }

    #[test]
    fn one_message_per_aggregate_is_under_way_and_the_newest_follows() {
        let mut pipeline = Pipeline::new();
        assert!(pipeline.offer(message("a", 1)).is_some());
        pipeline.pass(1);
        for version in [2, 4, 3] {
            assert!(pipeline.offer(message("a", version)).is_none());
            pipeline.pass(version);
        }
        assert_eq!(pipeline.arrived("a").map(|message| message.version), Some(4));
        assert_eq!(pipeline.take_safe(), Some(1));
        assert!(pipeline.arrived("a").is_none());
        assert_eq!(pipeline.take_safe(), Some(3), "the last position taken in");
    }

    #[test]
    fn a_version_that_is_under_way_already_is_not_sent_again() {
        let mut pipeline = Pipeline::new();
        assert!(pipeline.offer(message("a", 5)).is_some());
        assert!(pipeline.offer(message("a", 5)).is_none());
        pipeline.pass(1);
        assert!(pipeline.arrived("a").is_none());
        assert_eq!(pipeline.take_safe(), Some(1));
    }

    #[test]
    fn messages_alone_move_no_position() {
        let mut pipeline = Pipeline::<u8>::new();
        assert!(pipeline.offer(message("a", 1)).is_some());
        pipeline.arrived("a");
        assert_eq!(pipeline.take_safe(), None);
        assert_eq!(pipeline.len(), 0);
    }
}
