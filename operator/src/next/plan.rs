//! The writes of a pass: what is wanted, less what is there already.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Write;
use crate::build::{Child, Shop};
use crate::difference::{Contest, contests, has_foreign_fields, is_within, stamped};
use crate::kind::Kind;
use crate::observe::facts::Observed;

/// Collects the writes of a pass.
pub(super) struct Plan<'a> {
    observed: &'a Observed,
    pub(super) shop: Shop<'a>,
    pub(super) writes: Vec<Write>,
    /// Whether something is wanted that has to wait.
    pub(super) is_held: bool,
    /// What somebody else has set and is set back.
    pub(super) contests: Vec<Contest>,
    /// Whether pods stay that only this operator, as a new one, describes differently.
    pub(super) postpones: bool,
    /// Those that do, as objects.
    pub(super) postponed: Vec<String>,
    wanted: BTreeSet<(Kind, String)>,
}

impl<'a> Plan<'a> {
    pub(super) fn new(observed: &'a Observed, shop: Shop<'a>) -> Self {
        Self {
            observed,
            shop,
            writes: Vec::new(),
            is_held: false,
            contests: Vec::new(),
            postpones: false,
            postponed: Vec::new(),
            wanted: BTreeSet::new(),
        }
    }

    /// All of these are wanted now.
    pub(super) fn all(&mut self, children: Vec<Child>) {
        for child in children {
            self.one(child);
        }
    }

    /// This one is wanted now.
    pub(super) fn one(&mut self, child: Child) {
        if self.differs(&child) {
            if let (Some(live), Some(kind)) = (self.live(&child), child.kind()) {
                let object = format!("{kind:?} {}", child.name());
                let wanted = stamped(plain(&child));
                if self.postpones && has_pods(&wanted, live) && is_described_differently(&wanted, live) {
                    self.postponed.push(object);
                    self.keep(&child);
                    return;
                }
                self.contests.extend(contests(&object, &wanted, live));
            }
            self.writes.push(Write::Apply(child.clone()));
        }
        self.keep(&child);
    }

    /// This one cannot become what is wanted where it is: it goes, and a later pass makes it anew. Its volumes stay.
    pub(super) fn anew(&mut self, child: &Child) {
        let key = child.kind().map(|kind| (kind, child.name().to_owned()));
        self.writes
            .extend(key.map(|(kind, name)| Write::Delete(kind, name)));
        self.keep(child);
    }

    /// This one is wanted later: until then it stays as it is.
    pub(super) fn later(&mut self, child: &Child) {
        self.is_held |= self.differs(child);
        self.keep(child);
    }

    /// Whether pods of this object would be made or replaced.
    pub(super) fn moves_pods(&self, child: &Child) -> bool {
        let wanted = plain(child);
        if part(&wanted, "/spec/replicas") == 0 {
            return false;
        }
        let Some(live) = self.live(child) else {
            return true;
        };
        let wakes = part(live, "/spec/replicas") == 0;
        wakes || !is_within(&part(&wanted, "/spec/template"), &part(live, "/spec/template"))
    }

    /// Whatever is ours and was not wanted in this pass goes.
    pub(super) fn sweep(&mut self) {
        let surplus = self
            .observed
            .live
            .objects
            .keys()
            .filter(|key| !self.wanted.contains(*key));
        self.writes
            .extend(surplus.map(|(kind, name)| Write::Delete(*kind, name.clone())));
    }

    fn keep(&mut self, child: &Child) {
        self.wanted
            .extend(child.kind().map(|kind| (kind, child.name().to_owned())));
    }

    fn differs(&self, child: &Child) -> bool {
        self.live(child)
            .is_none_or(|live| !is_within(&stamped(plain(child)), live))
    }

    fn live(&self, child: &Child) -> Option<&'a Value> {
        self.observed
            .live
            .objects
            .get(&(child.kind()?, child.name().to_owned()))
    }
}

/// Whether the pods differ, and neither by what somebody else set nor by what they have to start anew for.
fn is_described_differently(wanted: &Value, live: &Value) -> bool {
    let is_there = |pointer: &str| is_within(&part(wanted, pointer), &part(live, pointer));
    !is_there("/spec/template")
        && is_there("/spec/template/metadata/annotations")
        && !has_foreign_fields(wanted, live)
}

/// Whether there are pods before and after. Of what begins to sleep or wakes up none would be replaced.
fn has_pods(wanted: &Value, live: &Value) -> bool {
    let sleeps = |value| part(value, "/spec/replicas") == 0;
    !sleeps(wanted) && !sleeps(live)
}

fn part(value: &Value, pointer: &str) -> Value {
    value.pointer(pointer).cloned().unwrap_or(Value::Null)
}

/// As JSON.
fn plain(child: &Child) -> Value {
    child.to_value().expect("what is built is plain data")
}
