//! What is printed of a run: the timeline and the tables.

use std::collections::BTreeMap;
use std::fmt;

use super::drain::by_outcome;
use super::evidence::{Evidence, Fired};
use super::history::{Moment, Operation, Outcome};
use super::schedule::Schedule;

/// Everything that is worth a line.
#[derive(Debug)]
pub struct Report {
    seed: u64,
    instances: usize,
    clock_of: &'static str,
    timeline: Vec<Line>,
    /// What can be added up over rounds.
    pub total: Total,
}

/// Counts, of one round or of several.
#[derive(Debug, Default)]
pub struct Total {
    operations: BTreeMap<&'static str, [usize; 3]>,
    kinds: BTreeMap<&'static str, Kind>,
    acknowledged_orders: usize,
    completed_orders: usize,
    store_states: usize,
}

impl Total {
    /// Both together.
    #[must_use]
    pub fn plus(mut self, other: &Self) -> Self {
        let Self {
            operations,
            kinds,
            acknowledged_orders,
            completed_orders,
            store_states,
        } = other;
        for (name, row) in operations {
            let sums = self.operations.entry(name).or_default();
            for (sum, count) in sums.iter_mut().zip(row) {
                *sum += count;
            }
        }
        for (name, kind) in kinds {
            let sum = self.kinds.entry(name).or_default();
            sum.fired += kind.fired;
            sum.under_load += kind.under_load;
            sum.unavailable = sum.unavailable.max(kind.unavailable);
        }
        self.acknowledged_orders += acknowledged_orders;
        self.completed_orders += completed_orders;
        self.store_states += store_states;
        self
    }
}

#[derive(Debug)]
struct Line {
    from: f64,
    until: f64,
    what: String,
    under_way: usize,
    unavailable: f64,
}

#[derive(Debug, Default)]
struct Kind {
    fired: usize,
    under_load: usize,
    unavailable: f64,
}

impl Report {
    /// Of a run that began then.
    #[must_use]
    pub fn of(seed: u64, schedule: &Schedule, began: Moment, evidence: &Evidence) -> Self {
        let outages = outages(&evidence.operations);
        let mut kinds: BTreeMap<&'static str, Kind> = BTreeMap::new();
        let mut timeline = Vec::new();
        for fired in &evidence.fired {
            let under_way = under_way(&evidence.operations, fired);
            let unavailable = longest(&outages, fired);
            let kind = kinds.entry(fired.fault.kind()).or_default();
            kind.fired += 1;
            kind.under_load += usize::from(under_way > 0);
            kind.unavailable = kind.unavailable.max(unavailable);
            timeline.push(Line {
                from: fired.began.seconds_since(began),
                until: fired.healed.seconds_since(began),
                what: fired.fault.to_string(),
                under_way,
                unavailable,
            });
        }
        let operations = by_outcome(&evidence.operations);
        let orders = ["place", "place any"].map(|name| operations.get(name).map_or(0, |row| row[0]));
        let complete = evidence.finals.orders.values();
        let complete =
            complete.filter(|order| order.status == bigtix_contracts::api::orders::StatusWord::Complete);
        Self {
            seed,
            instances: schedule.instances,
            clock_of: schedule.clock_of.as_str(),
            timeline,
            total: Total {
                acknowledged_orders: orders.iter().sum(),
                completed_orders: complete.count(),
                store_states: evidence.states.len(),
                operations,
                kinds,
            },
        }
    }
}

/// Operations that were under way at any time of a fault.
fn under_way(operations: &[Operation], fired: &Fired) -> usize {
    operations
        .iter()
        .filter(|operation| operation.invoked <= fired.healed && fired.began <= operation.finished)
        .count()
}

/// From the first request to a service that failed until the next one that did not.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Outage {
    from: Moment,
    until: Moment,
}

fn outages(operations: &[Operation]) -> Vec<Outage> {
    let mut by_end: Vec<&Operation> = operations.iter().collect();
    by_end.sort_by_key(|operation| operation.finished);
    let mut down: BTreeMap<&str, Moment> = BTreeMap::new();
    let mut outages = Vec::new();
    for operation in by_end {
        let (service, _, _) = operation.action.route();
        match operation.outcome {
            Outcome::Unknown { .. } => {
                let from = down.entry(service).or_insert(operation.invoked);
                *from = operation.invoked.min(*from);
            }
            Outcome::Ok { .. } | Outcome::Failed { .. } => {
                if let Some(from) = down.remove(service) {
                    // What was answered meanwhile shows that the service was there in between.
                    let until = operation.finished;
                    outages.push(Outage { from, until });
                }
            }
        }
    }
    outages
}

fn longest(outages: &[Outage], fired: &Fired) -> f64 {
    outages
        .iter()
        .filter(|outage| outage.from <= fired.healed && fired.began <= outage.until)
        .map(|outage| outage.until.seconds_since(outage.from))
        .fold(0.0, f64::max)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "seed {}, {} of each service, another clock for {}",
            self.seed, self.instances, self.clock_of
        )?;
        writeln!(f, "\n   from   until  under way  unavailable  fault")?;
        for line in &self.timeline {
            writeln!(
                f,
                "{:7.2} {:7.2} {:10} {:10.2} s  {}",
                line.from, line.until, line.under_way, line.unavailable, line.what
            )?;
        }
        write!(f, "\n{}", self.total)
    }
}

impl fmt::Display for Total {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "operation            ok    failed   unknown")?;
        let mut total = [0; 3];
        for (name, row) in &self.operations {
            writeln!(f, "{name:14} {:8} {:9} {:9}", row[0], row[1], row[2])?;
            for (sum, count) in total.iter_mut().zip(row) {
                *sum += count;
            }
        }
        writeln!(f, "{:14} {:8} {:9} {:9}", "all", total[0], total[1], total[2])?;
        writeln!(
            f,
            "\nkind of fault          fired  under load  longest unavailability"
        )?;
        for (kind, row) in &self.kinds {
            writeln!(
                f,
                "{kind:22} {:5} {:11} {:10.2} s",
                row.fired, row.under_load, row.unavailable
            )?;
        }
        writeln!(
            f,
            "\n{} orders acknowledged, {} complete in the end, {} states in the store's history",
            self.acknowledged_orders, self.completed_orders, self.store_states
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::history::{Action, Seen};

    fn read(from: i64, until: i64, outcome: Outcome) -> Operation {
        Operation {
            user: None,
            action: Action::ReadOrders,
            key: None,
            invoked: Moment(from * 1_000_000),
            finished: Moment(until * 1_000_000),
            outcome,
        }
    }

    #[test]
    fn an_outage_lasts_from_the_first_failure_to_the_next_success() {
        let fine = Outcome::Ok {
            status: 200,
            seen: Seen::Nothing,
        };
        let unknown = Outcome::Unknown { status: Some(503) };
        let operations = [
            read(0, 1, fine.clone()),
            read(2, 5, unknown.clone()),
            read(5, 6, unknown),
            read(7, 9, fine),
        ];
        assert_eq!(
            outages(&operations),
            [Outage {
                from: Moment(2_000_000),
                until: Moment(9_000_000)
            }]
        );
    }
}
