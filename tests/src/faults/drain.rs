//! After the faults: everything is there again, what nobody knew is asked again, everything ends, and all is read.

mod finals;
mod store;

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use self::store::StoreView;
use super::asker::Asker;
use super::evidence::Finals;
use super::history::{Operation, Outcome};
use super::market::Market;
use super::people::People;
use super::site::Site;
use super::store_history::StoreHistory;

const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Waits until every instance says that it is ready; what is not by then.
pub async fn until_ready(site: &Site, patience: Duration) -> Vec<String> {
    let deadline = Instant::now() + patience;
    loop {
        let missing = not_ready(site).await;
        if missing.is_empty() || Instant::now() > deadline {
            return missing;
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

async fn not_ready(site: &Site) -> Vec<String> {
    let Some(run) = site.shop.last_run() else {
        return vec!["run.json names no process for something".into()];
    };
    let mut missing = Vec::new();
    for (service, facts) in &run.services {
        for (number, instance) in facts.instances.iter().enumerate() {
            let ask = reqwest::get(format!("{}/readyz", instance.url));
            let answer = tokio::time::timeout(Duration::from_secs(5), ask).await;
            if !matches!(answer, Ok(Ok(answer)) if answer.status().is_success()) {
                missing.push(format!("{service}-{} is not ready", number + 1));
            }
        }
    }
    missing
}

/// Repeats what nobody knows the outcome of until somebody does; what is still unknown then.
pub async fn resolve(market: &Market, asker: &Asker, patience: Duration) -> Vec<String> {
    let deadline = Instant::now() + patience;
    let mut open = market.unresolved();
    while !open.is_empty() && Instant::now() < deadline {
        let mut still = Vec::new();
        for (who, request) in open {
            match asker.ask(Some(&who), &request).await {
                Outcome::Unknown { .. } => still.push((who, request)),
                Outcome::Ok { .. } | Outcome::Failed { .. } => {}
            }
        }
        open = still;
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    let told = |(_, request): (_, super::asker::Request)| {
        format!(
            "the outcome stays unknown: {:?} {:?}",
            request.action, request.key
        )
    };
    open.into_iter().map(told).collect()
}

/// Waits until every order has ended, every payment is settled, every webhook is delivered and every copy is that of its
/// owner; then reads everything.
pub async fn come_to_rest(
    site: &Site,
    history: &StoreHistory,
    people: &People,
    operations: &[Operation],
    asker: &Asker,
    patience: Duration,
) -> Finals {
    let deadline = Instant::now() + patience;
    let view = StoreView::new(history.client());
    let restless = loop {
        let mut restless = match view.restless().await {
            Ok(restless) => restless,
            Err(error) => vec![format!("the store cannot be read: {error:#}")],
        };
        let undelivered = site.stripe.undelivered();
        if undelivered > 0 {
            restless.push(format!("{undelivered} webhooks are not delivered"));
        }
        if restless.is_empty() || Instant::now() > deadline {
            break restless;
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    };
    let mut finals = finals::read(site, people, operations, asker).await;
    finals.restless.extend(restless);
    match view.rest().await {
        Ok(rest) => {
            finals.copies = rest.copies;
            finals.armed_timers = rest.armed_timers;
            finals.dead_letters = rest.dead_letters;
        }
        Err(error) => finals
            .restless
            .push(format!("the store cannot be read: {error:#}")),
    }
    finals
}

/// How often each action ended in which way, for the report.
#[must_use]
pub fn by_outcome(operations: &[Operation]) -> BTreeMap<&'static str, [usize; 3]> {
    let mut table: BTreeMap<&'static str, [usize; 3]> = BTreeMap::new();
    for operation in operations {
        let column = match operation.outcome {
            Outcome::Ok { .. } => 0,
            Outcome::Failed { .. } => 1,
            Outcome::Unknown { .. } => 2,
        };
        table.entry(operation.action.name()).or_default()[column] += 1;
    }
    table
}
