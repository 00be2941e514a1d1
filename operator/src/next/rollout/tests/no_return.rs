//! Releases with a build that cannot be gone back from.

use super::*;

/// A rollout from 1.0.0 in which that service's 1.1.0 cannot be gone back from.
fn contracting(service: Service) -> World {
    let release = format!(
        r#"{{"version": "1.1.0", "services": {{"{service}": "1.1.0"}}, "contractingMigrations": {{"{service}": ["drop-it"]}}}}"#
    );
    let catalog = Catalog::embedded().with(&release).expect("a release");
    World {
        contractions: catalog.contractions(),
        ..World::at(Some("1.0.0"))
    }
}

#[test]
fn a_build_that_fails_before_the_point_of_no_return_is_taken_back() {
    let mut world = contracting(Service::Payments);
    let wanted = set("1.1.0");
    world.bad = Some((Service::Orders, wanted.version.clone(), Badness::Breaks));
    world.until_rest(&wanted);
    assert_eq!(
        (world.good.clone(), world.rejected),
        (Some(set("1.0.0")), Some(wanted.id()))
    );
}

#[test]
fn what_fails_after_it_stays_until_it_comes_right() {
    let mut world = contracting(Service::Orders);
    let wanted = set("1.1.0");
    for (bad, how) in [
        (Service::Orders, Badness::NeverReady),
        (Service::Web, Badness::Breaks),
    ] {
        world.bad = Some((bad, wanted.version.clone(), how));
        let mut course = world.pass(&wanted, false);
        for _ in 0..50 {
            course = world.pass(&wanted, false);
        }
        assert!(matches!(course.gate, Gate::Broken(_)), "{bad}: {:?}", course.gate);
        let rollout = course.rollout.expect("it is under way");
        assert_eq!((rollout.step, rollout.failure), (Step::Service(bad), None));
    }
    world.bad = None;
    world.until_rest(&wanted);
    assert_eq!(world.good, Some(wanted));
    let failed = |change: &Change| matches!(change, Change::Failed(_) | Change::TakenBack(_));
    assert!(!world.ended.iter().any(failed), "{:?}", world.ended);
}

#[test]
fn it_is_remembered_before_the_build_is_asked_for() {
    let mut world = contracting(Service::Auth);
    let wanted = set("1.1.0");
    for _ in 0..5 {
        let course = world.pass(&wanted, true);
        assert_eq!(course.builds, set("1.0.0").builds, "nothing is remembered yet");
    }
    world.pass(&wanted, false);
    let course = world.pass(&wanted, false);
    assert_eq!(course.builds[&Service::Auth], wanted.builds[&Service::Auth]);
}

#[test]
fn another_release_goes_on_from_where_the_one_is_that_cannot_be_taken_back() {
    let mut world = contracting(Service::Orders);
    let (stuck, wanted) = (set("1.1.0"), set("1.2.0"));
    world.bad = Some((Service::Payments, stuck.version.clone(), Badness::Breaks));
    for _ in 0..10 {
        world.pass(&stuck, false);
    }
    let before = world.running.borrow().clone();
    assert_eq!(before[&Service::Orders], stuck.builds[&Service::Orders]);
    world.bad = Some((Service::Web, wanted.version.clone(), Badness::Breaks));
    for _ in 0..20 {
        let course = world.pass(&wanted, false);
        for (service, build) in &course.builds {
            assert!(
                build.version >= before[service].version,
                "{service} went back to {}",
                build.version
            );
        }
        assert!(course.rollout.is_some_and(|rollout| rollout.is_past_return));
    }
    world.bad = None;
    world.until_rest(&wanted);
    assert_eq!(world.good, Some(wanted));
}

proptest! {
    /// Whatever fails, whenever the operator dies, and whether or not somebody asks for a third release: what cannot be gone
    /// back from is remembered before it is asked for, and after that nothing goes back.
    #[test]
    fn nothing_goes_back_after_the_point_of_no_return(
        contracts in 0..Service::ALL.len(),
        bad in proptest::option::of((0..Service::ALL.len(), any::<bool>())),
        deaths in proptest::collection::vec(any::<bool>(), 80),
        mind_changes_at in proptest::option::of(0..80_usize),
    ) {
        let contracts = Service::ALL[contracts];
        let mut world = contracting(contracts);
        world.bad = bad.map(|(place, breaks)| {
            let how = if breaks { Badness::Breaks } else { Badness::NeverReady };
            (Service::ALL[place], set("1.1.0").version, how)
        });
        let mut wanted = set("1.1.0");
        for (pass, dies) in deaths.into_iter().enumerate() {
            if mind_changes_at == Some(pass) {
                wanted = set("1.2.0");
            }
            let remembered = world.good.clone().expect("there was a release before");
            let was_past = world.rollout.as_ref().is_some_and(|rollout| rollout.is_past_return);
            let before = world.running.borrow().clone();
            let course = world.pass(&wanted, dies);
            let is_contracted = |builds: &BTreeMap<Service, Build>| builds[&contracts].version >= set("1.1.0").version;
            prop_assert!(!is_contracted(&course.builds) || is_contracted(&remembered.builds));
            for (service, build) in &course.builds {
                let may_go_back = *service != contracts && !was_past;
                prop_assert!(may_go_back || build.version >= before[service].version, "{} went back", service);
            }
        }
        world.bad = None;
        world.until_rest(&wanted);
        let is_taken_back = world.rejected == Some(wanted.id());
        let end = if is_taken_back { set("1.0.0") } else { wanted };
        prop_assert_eq!(&*world.running.borrow(), &end.builds);
    }
}
