//! Changelogs from one release to the next.

use super::super::plan::Commit;
use super::scratch::{CHANGELOGS, Scratch, TOLD, published};
use super::*;

const NEWS: &str = "# Changelog\n\n## Unreleased\n\n### Fixed\n\n- A leak.\n\n## 1.0.0 - 2026-01-02\n\n### Added\n\n- Everything.\n";

/// A release in which orders is new and web stays what it was.
fn developed() -> Scratch {
    let scratch = published();
    scratch.write("sdk/words/src/lib.rs", "//! Words.\n");
    scratch.commit("sdk/words: they are explained");
    scratch.write("services/orders/src/lib.rs", "//! Orders.\n");
    scratch.write("services/orders/tests/it.rs", "//! Tried.\n");
    scratch.commit("orders: a leak is gone");
    scratch.write("services/orders/tests/it.rs", "//! Tried again.\n");
    scratch.write("services/orders/README.md", "# Orders\n");
    scratch.commit("orders: more tests");
    scratch.version("orders", "1.0.1");
    scratch.release("1.0.1");
    for place in CHANGELOGS {
        scratch.write(place, NEWS);
    }
    scratch
}

fn plan(scratch: &Scratch) -> Plan {
    Plan::of(sources::comparison(scratch.root()).unwrap())
}

fn texts(scratch: &Scratch) -> Vec<String> {
    let mut places = vec!["releases/1.0.1.json"];
    places.extend(CHANGELOGS);
    let text = |place: &str| fs::read_to_string(scratch.root().join(place)).unwrap();
    places.into_iter().map(text).collect()
}

#[test]
fn what_is_unreleased_becomes_the_section_of_what_is_new_and_a_second_run_changes_nothing() {
    let scratch = developed();
    let expected = ["releases/1.0.1.json", CHANGELOGS[0], CHANGELOGS[1]];
    assert_eq!(plan(&scratch).writes, expected);
    write(scratch.root()).unwrap();

    let first = texts(&scratch);
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let released = NEWS.replace(
        "## Unreleased\n",
        &format!("## Unreleased\n\n## 1.0.1 - {today}\n"),
    );
    assert_eq!(first[1..3], [released.clone(), released]);
    // Web is published as it is, so this is about its next version.
    assert_eq!(first[3], NEWS);

    assert!(plan(&scratch).writes.is_empty());
    write(scratch.root()).unwrap();
    assert_eq!(texts(&scratch), first);
    assert!(plan(&scratch).refusals.is_empty());
}

#[test]
fn the_plan_offers_the_commits_that_touched_what_a_service_is_compiled_from() {
    let scratch = developed();
    let plan = plan(&scratch);
    let subjects = |name: &str| -> Vec<String> {
        let service = plan.services.iter().find(|service| service.name == name).unwrap();
        let subject = |commit: &Commit| commit.subject.clone();
        service.commits.iter().map(subject).collect()
    };
    let offered = ["orders: a leak is gone", "sdk/words: they are explained"];
    assert_eq!(subjects("orders"), offered);
    assert!(subjects("web").is_empty());
}

#[test]
fn a_released_version_without_a_section_is_refused() {
    let scratch = developed();
    let refused = |scratch: &Scratch| -> Vec<String> {
        let refusals = plan(scratch).refusals.into_iter();
        refusals.map(|refusal| refusal.what).collect()
    };
    let orders = CHANGELOGS[1];
    let silent = TOLD.replace("Everything", "All");
    scratch.write(orders, &silent);
    assert_eq!(refused(&scratch), [format!("{orders} says nothing of 1.0.1")]);
    write(scratch.root()).unwrap();
    assert_eq!(fs::read_to_string(scratch.root().join(orders)).unwrap(), silent);
    assert_eq!(check(scratch.root()).unwrap(), ExitCode::FAILURE);

    // Written, but not moved before the release was published.
    scratch.write(orders, NEWS);
    assert_eq!(check(scratch.root()).unwrap(), ExitCode::SUCCESS);
    scratch.commit("orders: 1.0.1");
    scratch.git(&["tag", "v1.0.1"]);
    let expected = format!("1.0.1 is published and {orders} has no section of it");
    assert_eq!(refused(&scratch), [expected]);
    assert_eq!(check(scratch.root()).unwrap(), ExitCode::FAILURE);
    write(scratch.root()).unwrap();
    assert_eq!(check(scratch.root()).unwrap(), ExitCode::SUCCESS);

    fs::remove_file(scratch.root().join(orders)).unwrap();
    assert_eq!(refused(&scratch), [format!("{orders} says nothing of 1.0.1")]);
}
