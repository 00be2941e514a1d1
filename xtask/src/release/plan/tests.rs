//! Decisions on plain data.

use super::*;

const TOLD: Told = Told {
    has_section: true,
    unreleased: 0,
};

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn changed() -> Vec<Change> {
    vec![Change::Folder {
        path: "services/orders".to_owned(),
        files: vec!["src/app.rs".to_owned()],
    }]
}

/// After release 1.0.0 of services at 1.0.0.
fn plan(release: &str, services: &[(&str, &str, Vec<Change>)]) -> Plan {
    let published = ["auth", "orders"].map(|name| (name.to_owned(), version("1.0.0")));
    plan_after(
        Baseline::Release {
            version: version("1.0.0"),
            services: published.into(),
        },
        release,
        services,
    )
}

fn plan_after(baseline: Baseline, release: &str, services: &[(&str, &str, Vec<Change>)]) -> Plan {
    Plan::of(comparison(baseline, release, services))
}

/// Everything is written and told.
fn comparison(baseline: Baseline, release: &str, services: &[(&str, &str, Vec<Change>)]) -> Comparison {
    let services = services.iter().map(|(name, number, changes)| {
        let present = Present {
            version: version(number),
            changes: changes.clone(),
            commits: Vec::new(),
            told: TOLD,
        };
        ((*name).to_owned(), present)
    });
    Comparison {
        baseline,
        release: version(release),
        reachable_from: "~1.0".parse().unwrap(),
        stale: Vec::new(),
        told: TOLD,
        services: services.collect(),
    }
}

fn refused(plan: &Plan) -> Vec<&str> {
    plan.refusals
        .iter()
        .map(|refusal| refusal.what.as_str())
        .collect()
}

fn images(images: &[Image]) -> Vec<String> {
    images
        .iter()
        .map(|image| format!("{} {}", image.name, image.version))
        .collect()
}

#[test]
fn a_tree_as_it_was_published_publishes_nothing() {
    let plan = plan(
        "1.0.0",
        &[("auth", "1.0.0", Vec::new()), ("orders", "1.0.0", Vec::new())],
    );
    assert!(plan.refusals.is_empty() && plan.notes.is_empty(), "{plan:?}");
    assert!(plan.publishes.is_empty());
    assert_eq!(
        images(&plan.stays),
        [
            "auth 1.0.0",
            "orders 1.0.0",
            "operator 1.0.0",
            "stripe-double 1.0.0"
        ]
    );
}

#[test]
fn a_changed_service_needs_a_greater_version() {
    let unchanged = ("auth", "1.0.0", Vec::new());
    let refused_plan = plan("1.1.0", &[unchanged.clone(), ("orders", "1.0.0", changed())]);
    let expected = Refusal {
        what: "orders has changed since v1.0.0 and still has its version 1.0.0: services/orders (src/app.rs)"
            .to_owned(),
        next: "give services/orders/version.json a version greater than 1.0.0, then run cargo xtask release"
            .to_owned(),
    };
    assert_eq!(refused_plan.refusals, [expected]);

    let plan = plan("1.1.0", &[unchanged, ("orders", "1.0.1", changed())]);
    assert!(plan.refusals.is_empty() && plan.notes.is_empty(), "{plan:?}");
    assert_eq!(
        images(&plan.publishes),
        ["orders 1.0.1", "operator 1.1.0", "stripe-double 1.1.0"]
    );
    assert_eq!(images(&plan.stays), ["auth 1.0.0"]);
}

#[test]
fn a_published_release_is_refused_together_with_the_service_that_needs_another() {
    let plan = plan(
        "1.0.0",
        &[("auth", "1.0.0", Vec::new()), ("orders", "1.0.0", changed())],
    );
    assert_eq!(
        refused(&plan),
        [
            "orders has changed since v1.0.0 and still has its version 1.0.0: services/orders (src/app.rs)",
            "release 1.0.0 is published as it was, and the tree differs in orders"
        ]
    );
}

#[test]
fn a_version_does_not_go_back() {
    for changes in [Vec::new(), changed()] {
        let plan = plan(
            "1.1.0",
            &[("auth", "1.0.0", Vec::new()), ("orders", "0.9.0", changes)],
        );
        assert_eq!(
            refused(&plan),
            ["orders has version 0.9.0, which is lower than the 1.0.0 that v1.0.0 published"]
        );
        assert_eq!(images(&plan.publishes), ["operator 1.1.0", "stripe-double 1.1.0"]);
    }
}

#[test]
fn a_new_version_of_nothing_new_is_only_mentioned() {
    let plan = plan(
        "1.1.0",
        &[("auth", "1.1.0", Vec::new()), ("orders", "1.0.0", Vec::new())],
    );
    assert!(plan.refusals.is_empty(), "{plan:?}");
    assert_eq!(
        plan.notes,
        ["auth goes from 1.0.0 to 1.1.0 although nothing that it is built from has changed"]
    );
}

#[test]
fn a_set_of_other_versions_is_another_release() {
    let more = ("orders", "1.1.0", changed());
    let auth = ("auth", "1.0.0", Vec::new());
    let same_release = plan("1.0.0", &[auth.clone(), more.clone()]);
    assert_eq!(
        refused(&same_release),
        ["release 1.0.0 is published as it was, and the tree differs in orders"]
    );
    assert!(plan("1.0.1", &[auth.clone(), more.clone()]).refusals.is_empty());

    // A service that came, and one that went.
    let orders = ("orders", "1.0.0", Vec::new());
    let came = plan("1.0.0", &[auth.clone(), orders, ("web", "1.0.0", Vec::new())]);
    assert_eq!(
        refused(&came),
        ["release 1.0.0 is published as it was, and the tree differs in web"]
    );
    let went = plan("1.0.0", std::slice::from_ref(&auth));
    assert_eq!(
        refused(&went),
        ["release 1.0.0 is published as it was, and the tree differs in orders"]
    );
    assert_eq!(went.services.last().unwrap().version, None);

    let lower = plan("0.9.0", &[auth, more]);
    assert_eq!(
        refused(&lower),
        ["the release has version 0.9.0, which is lower than the published 1.0.0"]
    );
}

#[test]
fn a_release_says_whether_it_can_be_reached_from_the_published_one() {
    let services = [("auth", "1.0.0", Vec::new()), ("orders", "1.0.0", Vec::new())];
    assert_eq!(plan("1.1.0", &services).is_reachable, Some(true));
    let published = Baseline::Release {
        version: version("1.1.0"),
        services: BTreeMap::new(),
    };
    let far = plan_after(published.clone(), "1.2.0", &[]);
    assert_eq!(far.is_reachable, Some(false));
    assert!(
        far.notes[0].starts_with("shops at 1.1.0 cannot come to 1.2.0 in one step"),
        "{far:?}"
    );
    // It is where they are.
    assert_eq!(plan_after(published, "1.1.0", &[]).is_reachable, Some(true));
}

#[test]
fn the_first_release_publishes_everything() {
    let plan = plan_after(Baseline::Nothing, "1.0.0", &[("auth", "1.0.0", Vec::new())]);
    assert!(plan.refusals.is_empty());
    assert_eq!(
        images(&plan.publishes),
        ["auth 1.0.0", "operator 1.0.0", "stripe-double 1.0.0"]
    );
}

#[test]
fn what_cannot_be_compared_is_neither_refused_nor_published() {
    let unknown = Baseline::Unknown {
        reason: "shallow".to_owned(),
    };
    let plan = plan_after(unknown, "1.0.0", &[("auth", "1.0.0", Vec::new())]);
    assert!(plan.refusals.is_empty() && plan.publishes.is_empty() && plan.stays.is_empty());
    assert_eq!(plan.is_reachable, None);
}

#[test]
fn programs_read_the_plan_as_json() {
    let plan = plan(
        "1.1.0",
        &[("auth", "1.0.0", Vec::new()), ("orders", "1.0.1", changed())],
    );
    let json = serde_json::to_value(&plan).unwrap();
    assert_eq!(json["baseline"]["kind"], "release");
    assert_eq!(json["isReachable"], true);
    let orders = serde_json::json!({
        "name": "orders", "published": "1.0.0", "version": "1.0.1",
        "changes": [{"kind": "folder", "path": "services/orders", "files": ["src/app.rs"]}], "commits": [],
    });
    assert_eq!(json["services"][1], orders);
    assert_eq!(
        json["publishes"][0],
        serde_json::json!({"name": "orders", "version": "1.0.1"})
    );
    let chapter = serde_json::json!({
        "path": "services/orders/CHANGELOG.md", "version": "1.0.1", "isPublished": false, "unreleased": 0, "due": "nothing",
    });
    assert_eq!(json["changelogs"][2], chapter);
}

#[test]
fn a_version_that_nothing_is_said_of_is_refused() {
    let planned = |baseline, release: Told, orders: Told| {
        let mut comparison = comparison(baseline, "1.1.0", &[("orders", "1.0.0", Vec::new())]);
        comparison.told = release;
        comparison.services.get_mut("orders").unwrap().told = orders;
        Plan::of(comparison)
    };
    let published = || Baseline::Release {
        version: version("1.0.0"),
        services: [("orders".to_owned(), version("1.0.0"))].into(),
    };
    let silent = Told::default();
    let unreleased = Told {
        has_section: false,
        unreleased: 2,
    };
    let nothing = planned(Baseline::Nothing, silent, unreleased);
    assert_eq!(refused(&nothing), ["CHANGELOG.md says nothing of 1.1.0"]);
    assert_eq!(nothing.writes, ["services/orders/CHANGELOG.md"]);

    // What is published needs its section; what is under development gets it by `cargo xtask release`.
    let plan = planned(published(), unreleased, unreleased);
    assert_eq!(
        refused(&plan),
        ["1.0.0 is published and services/orders/CHANGELOG.md has no section of it"]
    );
    assert_eq!(plan.writes, ["CHANGELOG.md", "services/orders/CHANGELOG.md"]);

    let unknown = Baseline::Unknown {
        reason: "shallow".to_owned(),
    };
    let plan = planned(unknown, silent, silent);
    assert!(plan.refusals.is_empty() && plan.changelogs.is_empty(), "{plan:?}");
}
