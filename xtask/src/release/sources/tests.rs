//! What is found out about a small workspace in a repository of its own.

use std::fs;

use super::super::plan::Plan;
use super::super::tests::scratch::{CHANGELOGS, Scratch, git_in, lock, published};
use super::*;

impl Scratch {
    fn plan(&self) -> Plan {
        Plan::of(comparison(self.root()).unwrap())
    }

    /// What changed, by service.
    fn changes(&self) -> Vec<(String, Vec<String>)> {
        let services = self.plan().services.into_iter();
        services
            .map(|service| {
                let changes = service.changes.iter().map(ToString::to_string).collect();
                (service.name, changes)
            })
            .collect()
    }

    fn last_release(&self) -> LastRelease {
        Git::new(self.root()).last_release().unwrap()
    }
}

fn expected(orders: &[&str], web: &[&str]) -> Vec<(String, Vec<String>)> {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    vec![
        ("orders".to_owned(), words(orders)),
        ("web".to_owned(), words(web)),
    ]
}

#[test]
fn a_service_changes_with_its_folder_its_crates_and_its_dependencies() {
    let scratch = published();
    assert_eq!(scratch.changes(), expected(&[], &[]));
    assert!(scratch.plan().publishes.is_empty());

    // Committed, not committed, and unknown to git.
    scratch.write("sdk/words/src/lib.rs", "//! Words.\n");
    scratch.commit("scratch: change");
    assert_eq!(scratch.changes(), expected(&["crate words (src/lib.rs)"], &[]));
    scratch.write("services/web/src/lib.rs", "//! Pages.\n");
    scratch.write("services/web/src/routes.rs", "");
    scratch.write("Cargo.lock", &lock("1.0.1", "1.0.0"));
    let web = [
        "services/web (src/lib.rs and src/routes.rs)",
        "parse 1.0.1 instead of 1.0.0",
    ];
    assert_eq!(scratch.changes(), expected(&["crate words (src/lib.rs)"], &web));

    let refused: Vec<String> = scratch
        .plan()
        .refusals
        .into_iter()
        .map(|refusal| refusal.what)
        .collect();
    assert_eq!(
        refused,
        [
            "orders has changed since v1.0.0 and still has its version 1.0.0: crate words (src/lib.rs)",
            "web has changed since v1.0.0 and still has its version 1.0.0: \
             services/web (src/lib.rs and src/routes.rs) and parse 1.0.1 instead of 1.0.0",
            "release 1.0.0 is published as it was, and the tree differs in orders and web",
        ]
    );
    scratch.version("orders", "1.0.1");
    scratch.version("web", "1.1.0");
    scratch.release("1.0.1");
    for place in CHANGELOGS {
        scratch.write(place, "## Unreleased\n\n- More.\n");
    }
    let plan = scratch.plan();
    assert!(plan.refusals.is_empty(), "{plan:?}");
    assert_eq!(plan.is_reachable, Some(true));
}

#[test]
fn what_is_only_tested_with_changes_no_service() {
    let scratch = published();
    scratch.write("services/orders/tests/it.rs", "//! More.\n");
    scratch.write("services/orders/tests/more.rs", "");
    scratch.write("services/orders/README.md", "# Orders\n");
    scratch.write("sdk/kit/src/lib.rs", "//! For tests.\n");
    scratch.write("Cargo.lock", &lock("1.0.0", "1.0.1"));
    scratch.version("web", "1.0.1");
    assert_eq!(scratch.changes(), expected(&[], &[]));
}

#[test]
fn the_last_release_is_the_greatest_that_head_has_behind_it() {
    let scratch = published();
    let tagged = |version: &str| LastRelease::Tagged(version.parse().unwrap(), format!("v{version}"));
    scratch.commit("scratch: change");
    scratch.git(&["tag", "--annotate", "--message", "tenth", "v1.10.0"]);
    for tag in ["v1.9.0", "v2", "vnext", "2.0.0"] {
        scratch.git(&["tag", tag]);
    }
    assert_eq!(scratch.last_release(), tagged("1.10.0"));
    scratch.git(&["checkout", "--quiet", "-b", "other", "v1.0.0"]);
    assert_eq!(scratch.last_release(), tagged("1.0.0"));
    scratch.git(&["tag", "--delete", "v1.0.0"]);
    assert_eq!(scratch.last_release(), LastRelease::Never);
    assert_eq!(scratch.plan().baseline, Baseline::Nothing);
}

#[test]
fn a_clone_that_cannot_tell_says_so_and_refuses_nothing() {
    let scratch = published();
    scratch.write("services/orders/src/lib.rs", "//! Orders.\n");
    scratch.commit("scratch: change");

    let shallow = tempfile::tempdir().unwrap();
    let from = format!("file://{}", scratch.root().display());
    git_in(
        shallow.path(),
        &["clone", "--quiet", "--depth", "1", &from, "clone"],
    );
    let plan = Plan::of(comparison(&shallow.path().join("clone")).unwrap());
    assert_hidden(&plan, "this clone is shallow and reaches no tag of a release");

    let object = git_in(scratch.root(), &["rev-parse", "v1.0.0^{tree}"]);
    let (folder, rest) = object.split_at(2);
    fs::remove_file(scratch.root().join(".git/objects").join(folder).join(rest)).unwrap();
    assert_hidden(&scratch.plan(), "this clone lacks the files of v1.0.0");
}

fn assert_hidden(plan: &Plan, reason: &str) {
    let Baseline::Unknown { reason: said } = &plan.baseline else {
        panic!("{plan:?}");
    };
    assert!(said.starts_with(reason), "{said}");
    assert!(plan.refusals.is_empty(), "{plan:?}");
}
