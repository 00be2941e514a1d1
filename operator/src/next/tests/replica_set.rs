//! A database that grows and shrinks, also while its members are not well.

use super::*;
use crate::next::mongodb::MongodbStep;
use crate::observe::facts::{Member, MongodbFacts};

fn sized(count: u32) -> Value {
    json!({"version": "1.0.0", "mongodb": {"managed": {"replicas": count}}})
}

/// A shop whose database has so many members.
fn with_members(count: u32) -> Cluster {
    let mut cluster = Cluster::with(sized(count));
    cluster.until_done();
    assert_eq!(members(&mut cluster).len(), count as usize);
    cluster
}

fn members(cluster: &mut Cluster) -> &mut Vec<Member> {
    match &mut cluster.mongodb {
        MongodbFacts::Set { members, .. } => members,
        facts => panic!("no set: {facts:?}"),
    }
}

fn pods(cluster: &Cluster) -> usize {
    let set = cluster.live.stateful_sets["shop-mongodb"].spec.as_ref();
    let replicas = set.and_then(|spec| spec.replicas).expect("a number of pods");
    usize::try_from(replicas).expect("no less than none")
}

#[test]
fn it_grows_and_shrinks_one_member_at_a_time() {
    let mut cluster = minimal();
    cluster.until_done();
    for count in [3, 5, 1] {
        cluster.change(sized(count));
        let mut before = members(&mut cluster).len();
        for _ in 0..40 {
            cluster.pass(usize::MAX);
            let now = members(&mut cluster).len();
            assert!(now.abs_diff(before) <= 1);
            assert!(pods(&cluster) >= now, "{now} members on {} pods", pods(&cluster));
            before = now;
        }
        assert_eq!((before, pods(&cluster)), (count as usize, count as usize));
        assert_eq!(cluster.condition("Ready").0, "True");
    }
}

#[test]
fn no_member_loses_its_pod_before_the_set_has_let_it_go() {
    let without_a_primary = |cluster: &mut Cluster| {
        for member in members(cluster) {
            member.is_primary = false;
        }
    };
    let with_one_unwell = |cluster: &mut Cluster| members(cluster)[0].is_healthy = false;
    let silent = |cluster: &mut Cluster| cluster.mongodb = MongodbFacts::Silent("no answer".to_owned());
    let emptied = |cluster: &mut Cluster| cluster.mongodb = MongodbFacts::Fresh;
    let troubles: [&dyn Fn(&mut Cluster); 4] = [&without_a_primary, &with_one_unwell, &silent, &emptied];
    for (trouble, happens) in troubles.into_iter().enumerate() {
        let mut cluster = with_members(3);
        let healthy = cluster.mongodb.clone();
        happens(&mut cluster);
        cluster.change(sized(1));
        for _ in 0..10 {
            cluster.pass(usize::MAX);
            assert_eq!(pods(&cluster), 3, "trouble {trouble}");
        }
        cluster.mongodb = healthy;
        cluster.until_done();
        assert_eq!((members(&mut cluster).len(), pods(&cluster)), (1, 1));
    }
}

#[test]
fn one_that_is_not_well_and_has_to_go_anyway_goes_first() {
    let mut cluster = with_members(3);
    members(&mut cluster)[1].is_healthy = false;
    let gone = members(&mut cluster)[1].address.clone();
    cluster.change(sized(1));
    let decision = cluster.pass(usize::MAX);
    let step = MongodbStep::Remove {
        address: gone,
        is_primary: false,
    };
    assert!(
        decision.writes.contains(&Write::Mongodb(step)),
        "{:?}",
        decision.writes
    );
    assert_eq!(pods(&cluster), 3, "the third member is one yet");
    cluster.until_done();
    assert_eq!((members(&mut cluster).len(), pods(&cluster)), (1, 1));
}

#[test]
fn a_shop_that_is_made_smaller_in_its_sleep_wakes_with_all_members_and_then_lets_them_go() {
    let mut cluster = with_members(3);
    let mut asleep = sized(3);
    asleep["hibernate"] = json!(true);
    cluster.change(asleep);
    cluster.until_done();
    assert_eq!(pods(&cluster), 0);
    let mut smaller = sized(1);
    smaller["hibernate"] = json!(true);
    cluster.change(smaller);
    cluster.until_done();
    assert_eq!(pods(&cluster), 0);
    cluster.change(sized(1));
    // The first member is alone when it wakes, and knows of two more.
    for (ordinal, member) in members(&mut cluster).iter_mut().enumerate() {
        (member.is_primary, member.is_healthy) = (false, ordinal == 0);
    }
    cluster.pass(usize::MAX);
    cluster.pass(usize::MAX);
    assert_eq!(pods(&cluster), 3);
    for (ordinal, member) in members(&mut cluster).iter_mut().enumerate() {
        (member.is_primary, member.is_healthy) = (ordinal == 0, true);
    }
    cluster.until_done();
    assert_eq!((members(&mut cluster).len(), pods(&cluster)), (1, 1));
}
