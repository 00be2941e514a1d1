//! A simulated cluster: a service runs a build some passes after it was asked to, or never.

use std::cell::RefCell;

mod no_return;

use bigtix_crds::Catalog;
use proptest::prelude::*;

use super::*;
use bigtix_crds::platform::Image;

const LIMITS: Limits = Limits {
    step: Duration::from_secs(60),
    soak: Duration::from_secs(30),
    takes_back: true,
};

fn set(version: &str) -> ReleaseSet {
    let build = |service: Service| {
        let build = Build {
            version: version.parse().expect("a version"),
            image: Image::recorded(&format!("x/{service}:{version}")),
        };
        (service, build)
    };
    ReleaseSet {
        version: version.parse().expect("a version"),
        builds: Service::ALL.map(build).into(),
    }
}

/// What each service runs, and what becomes of builds of a version.
struct World {
    running: RefCell<BTreeMap<Service, Build>>,
    /// The build that never works, and how it fails.
    bad: Option<(Service, Version, Badness)>,
    now: Timestamp,
    good: Option<ReleaseSet>,
    rollout: Option<Rollout>,
    rejected: Option<String>,
    ended: Vec<Change>,
    goes_on: bool,
    contractions: Contractions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Badness {
    Breaks,
    NeverReady,
}

impl World {
    fn at(good: Option<&str>) -> Self {
        let good = good.map(set);
        Self {
            running: RefCell::new(good.clone().map(|good| good.builds).unwrap_or_default()),
            bad: None,
            now: Timestamp::from_second(1_000_000).expect("a time"),
            good,
            rollout: None,
            rejected: None,
            ended: Vec::new(),
            goes_on: true,
            contractions: Contractions::default(),
        }
    }

    fn gate(&self, service: Service, build: &Build) -> Gate {
        let reason = || Reason {
            predicate: "Test",
            message: service.to_string(),
        };
        let running = self.running.borrow();
        match &self.bad {
            _ if running.get(&service) != Some(build) => Gate::Waiting(reason()),
            Some((bad, version, how)) if *bad == service && *version == build.version => match how {
                Badness::Breaks => Gate::Broken(reason()),
                Badness::NeverReady => Gate::Waiting(reason()),
            },
            _ => Gate::Open,
        }
    }

    /// One pass and what the cluster makes of it. `forgets` is an operator that dies before it writes the status.
    fn pass(&mut self, wanted: &ReleaseSet, forgets: bool) -> Course {
        let gate = |service: Service, build: &Build| self.gate(service, build);
        let situation = Situation {
            wanted,
            good: self.good.as_ref(),
            rollout: self
                .rollout
                .as_ref()
                .map(|rollout| Rollout::recorded(&rollout.record()).expect("readable")),
            is_rejected: self.rejected.as_deref() == Some(&wanted.id()),
            hold: None,
            goes_on: self.goes_on,
            contractions: &self.contractions,
            limits: LIMITS,
            now: self.now,
            gate: &gate,
            unjudged: None,
        };
        let course = steer(&situation);
        *self.running.borrow_mut() = course.builds.clone();
        if !forgets {
            for change in &course.changes {
                match change {
                    Change::Succeeded(set) | Change::Kept { set, .. } => self.good = Some(set.clone()),
                    Change::TakenBack(Failure::Bad(_)) => {
                        self.rejected = self.rollout.as_ref().map(|rollout| rollout.id.clone());
                    }
                    Change::Began | Change::Failed(_) | Change::TakenBack(Failure::Recalled) => {}
                }
            }
            self.ended.extend(course.changes.clone());
            self.rollout = course.rollout.clone();
        }
        self.now = later(self.now, Duration::from_secs(5));
        course
    }

    fn until_rest(&mut self, wanted: &ReleaseSet) {
        for _ in 0..200 {
            let course = self.pass(wanted, false);
            if course.rollout.is_none() && course.gate.is_open() {
                return;
            }
        }
        panic!("no end: {:?}", self.rollout);
    }
}

#[test]
fn the_first_release_comes_up_service_by_service() {
    let mut world = World::at(None);
    let wanted = set("1.0.0");
    let counts: Vec<usize> = (0..4).map(|_| world.pass(&wanted, false).builds.len()).collect();
    assert_eq!(counts, [1, 2, 3, 4]);
    world.until_rest(&wanted);
    assert_eq!(world.good, Some(wanted));
}

#[test]
fn an_upgrade_changes_one_service_at_a_time_in_order() {
    let mut world = World::at(Some("1.0.0"));
    let wanted = set("1.1.0");
    for (count, _) in Service::ALL.iter().enumerate() {
        let course = world.pass(&wanted, false);
        let new: Vec<Service> = Service::ALL
            .into_iter()
            .filter(|service| course.builds[service] == wanted.builds[service])
            .collect();
        assert_eq!(new, Service::ALL[..=count]);
    }
    world.until_rest(&wanted);
    assert_eq!(world.good, Some(wanted));
    assert!(
        matches!(world.ended[..], [Change::Began, Change::Succeeded(_)]),
        "{:?}",
        world.ended
    );
}

#[test]
fn a_build_that_breaks_is_taken_back_in_reverse_order_and_not_tried_again() {
    let mut world = World::at(Some("1.0.0"));
    let (before, wanted) = (set("1.0.0"), set("1.1.0"));
    world.bad = Some((Service::Orders, wanted.version.clone(), Badness::Breaks));
    let mut seen = Vec::new();
    for _ in 0..20 {
        let course = world.pass(&wanted, false);
        seen.push(Service::ALL.map(|service| course.builds[&service] == wanted.builds[&service]));
    }
    seen.dedup();
    let new = |count: usize| std::array::from_fn(|place| place < count);
    assert_eq!(seen, [new(1), new(2), new(3), new(2), new(1), new(0)]);
    assert_eq!(*world.running.borrow(), before.builds);
    assert_eq!(world.rejected, Some(wanted.id()));
    assert_eq!(world.rollout, None);
}

#[test]
fn a_build_that_is_never_ready_is_taken_back_after_its_deadline_and_not_before() {
    let mut world = World::at(Some("1.0.0"));
    let wanted = set("1.1.0");
    world.bad = Some((Service::Auth, wanted.version.clone(), Badness::NeverReady));
    let began = world.now;
    while !world
        .ended
        .iter()
        .any(|change| matches!(change, Change::Failed(_)))
    {
        world.pass(&wanted, false);
    }
    let waited = world.now.duration_since(began).as_secs();
    assert!((60..=70).contains(&waited), "{waited}");
    world.until_rest(&wanted);
    assert_eq!(world.good, Some(set("1.0.0")));
}

#[test]
fn the_first_release_is_never_taken_back() {
    let mut world = World::at(None);
    let wanted = set("1.0.0");
    world.bad = Some((Service::Auth, wanted.version.clone(), Badness::Breaks));
    for _ in 0..50 {
        world.pass(&wanted, false);
    }
    assert!(
        world
            .rollout
            .as_ref()
            .is_some_and(|rollout| rollout.failure.is_none())
    );
    world.bad = None;
    world.until_rest(&wanted);
    assert_eq!(world.good, Some(wanted));
}

#[test]
fn asking_for_the_release_before_takes_a_rollout_back_without_blaming_it() {
    let mut world = World::at(Some("1.0.0"));
    let (before, wanted) = (set("1.0.0"), set("1.1.0"));
    world.pass(&wanted, false);
    world.pass(&wanted, false);
    world.until_rest(&before);
    assert_eq!((world.rejected.clone(), &world.good), (None, &Some(before)));
    assert!(
        world.ended.contains(&Change::TakenBack(Failure::Recalled)),
        "{:?}",
        world.ended
    );
    world.until_rest(&wanted);
    assert_eq!(world.good, Some(wanted));
}

#[test]
fn a_rollout_that_is_held_stays_where_it_is_and_loses_no_time() {
    let mut world = World::at(Some("1.0.0"));
    let wanted = set("1.1.0");
    world.pass(&wanted, false);
    let before = world.pass(&wanted, false).builds;
    world.goes_on = false;
    for _ in 0..100 {
        assert_eq!(world.pass(&wanted, false).builds, before);
    }
    world.goes_on = true;
    world.until_rest(&wanted);
    assert_eq!(world.good, Some(wanted));
}

proptest! {
    /// Whatever fails and whenever the operator dies, the end is the wanted release or, when it is bad, the one before;
    /// and no service ever runs anything else.
    #[test]
    fn every_rollout_ends_with_one_of_the_two_releases(
        bad in proptest::option::of((0..Service::ALL.len(), any::<bool>())),
        deaths in proptest::collection::vec(any::<bool>(), 60),
    ) {
        let mut world = World::at(Some("1.0.0"));
        let (before, wanted) = (set("1.0.0"), set("1.1.0"));
        world.bad = bad.map(|(place, breaks)| {
            let how = if breaks { Badness::Breaks } else { Badness::NeverReady };
            (Service::ALL[place], wanted.version.clone(), how)
        });
        for dies in deaths {
            let course = world.pass(&wanted, dies);
            let mut is_old = false;
            for service in Service::ALL {
                let build = &course.builds[&service];
                prop_assert!(*build == before.builds[&service] || *build == wanted.builds[&service]);
                // The new ones are always the first ones.
                prop_assert!(!is_old || *build == before.builds[&service]);
                is_old = *build == before.builds[&service];
            }
        }
        world.until_rest(&wanted);
        let end = if bad.is_some() { &before } else { &wanted };
        prop_assert_eq!(&*world.running.borrow(), &end.builds);
        prop_assert_eq!(world.good.as_ref(), Some(end));
    }
}
