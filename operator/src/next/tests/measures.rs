//! What the metrics say of a shop while a release goes out, ends, or stands still.

use serde_json::json;

use super::cluster::minimal;
use super::*;
use crate::next::rollout::Step;
use crate::status::measures::{Measures, Outcome, Progress, UnderWay};

const BAD: &str = "example.org/orders:bad";

/// A release whose orders never get ready.
fn bad(upgrade: Value) -> Value {
    json!({"version": "1.0.0", "services": {"orders": {"image": BAD}}, "upgrade": upgrade})
}

/// What is said after each pass, until nothing changes any more.
fn said(cluster: &mut Cluster) -> Vec<Measures> {
    let mut all: Vec<Measures> = Vec::new();
    for _ in 0..80 {
        let before = cluster.resource.status.clone();
        cluster.pass(usize::MAX);
        let after = cluster.resource.status.as_ref().expect("a status");
        all.push(Measures::of(before.as_ref(), after));
    }
    all
}

fn under_way(all: &[Measures]) -> Vec<(Progress, Option<Step>)> {
    let rollouts = all.iter().filter_map(|measures| measures.rollout);
    let mut seen: Vec<_> = rollouts
        .map(
            |UnderWay {
                 progress,
                 step,
                 started_at: _,
             }| (progress, step),
        )
        .collect();
    seen.dedup();
    seen
}

fn ended(all: &[Measures]) -> Vec<Outcome> {
    all.iter().flat_map(|measures| measures.ended.clone()).collect()
}

#[test]
fn a_release_that_comes_up_is_counted_once_and_said_step_by_step() {
    let mut cluster = minimal();
    let all = said(&mut cluster);
    assert_eq!(ended(&all), [Outcome::Succeeded]);
    let steps = under_way(&all);
    assert!(
        steps.contains(&(Progress::Forward, Some(Step::Service(Service::Orders)))),
        "{steps:?}"
    );
    let last = all.last().expect("a pass");
    assert_eq!(
        (last.is_ready, last.is_rejected, last.rollout),
        (true, false, None)
    );
}

#[test]
fn a_release_that_is_taken_back_is_counted_and_stays_rejected() {
    let mut cluster = minimal();
    cluster.until_done();
    cluster.bad.insert(BAD.to_owned());
    cluster.change(bad(json!({"progressDeadlineSeconds": 60})));
    let all = said(&mut cluster);
    assert_eq!(ended(&all), [Outcome::RolledBack]);
    let steps = under_way(&all);
    let orders = Some(Step::Service(Service::Orders));
    assert!(steps.contains(&(Progress::Forward, orders)), "{steps:?}");
    assert!(
        steps.iter().any(|(progress, _)| *progress == Progress::Back),
        "{steps:?}"
    );
    let last = all.last().expect("a pass");
    assert_eq!(
        (last.is_ready, last.is_rejected, last.rollout),
        (false, true, None)
    );

    // Who goes back to what runs is no longer told of it.
    cluster.change(json!({"version": "1.0.0"}));
    let all = said(&mut cluster);
    assert!(ended(&all).is_empty());
    assert!(all.last().is_some_and(|last| last.is_ready && !last.is_rejected));
}

#[test]
fn a_release_that_is_not_taken_back_is_said_to_have_failed() {
    let mut cluster = minimal();
    cluster.until_done();
    cluster.bad.insert(BAD.to_owned());
    cluster.change(bad(json!({"progressDeadlineSeconds": 60, "autoRollback": false})));
    let all = said(&mut cluster);
    let orders = Some(Step::Service(Service::Orders));
    assert_eq!(under_way(&all).last(), Some(&(Progress::Failed, orders)));
    assert!(ended(&all).is_empty());
}

#[test]
fn a_rollout_of_a_shop_that_is_paused_is_held() {
    let mut cluster = minimal();
    cluster.until_done();
    cluster.bad.insert(BAD.to_owned());
    cluster.change(bad(json!({})));
    cluster.pass(usize::MAX);
    let mut paused = bad(json!({}));
    paused["paused"] = json!(true);
    cluster.change(paused);
    let all = said(&mut cluster);
    let last = all.last().and_then(|last| last.rollout).expect("a rollout");
    assert_eq!(last.progress, Progress::Held);
}
