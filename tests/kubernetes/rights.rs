//! What the operator is allowed to do, and what of it it did, by the API server's log of the whole run.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use bigtix_tests::cluster::{Cluster, SYSTEM};
use serde_json::Value;

/// Group, resource and verb.
type Right = (String, String, String);

/// Rights that no request shows.
const NEVER_ASKED_FOR: &[(&str, &str, &str)] = &[
    // Asked of the authorizer when a child names its owner, and not by a request of its own.
    ("bigtix.dev", "bigtixes/finalizers", "update"),
    ("bigtix.dev", "bigtixbackups/finalizers", "update"),
    ("bigtix.dev", "bigtixrestores/finalizers", "update"),
    // Only an event that comes again within minutes is counted up; whether one does in a run is chance.
    ("events.k8s.io", "events", "patch"),
];

/// Comes last, when everything that the operator does has been done.
pub(crate) async fn no_right_of_the_operator_is_unused(cluster: &Cluster) -> Result<()> {
    let given = given(cluster)?;
    ensure!(given.len() > 40, "only {} rights were found", given.len());
    let mut used: BTreeSet<Right> = BTreeSet::new();
    for request in cluster.whole_audit_log().of_operator()? {
        if request
            .status()
            .is_none_or(|status| status >= 400 && status != 404)
        {
            continue;
        }
        let right = |verb: &str| {
            (
                request.group().to_owned(),
                request.resource_of_rules(),
                verb.to_owned(),
            )
        };
        used.insert(right(&request.verb));
        // What is applied is asked for as a patch, and made where it was not there.
        if request.has_created() {
            used.insert(right("create"));
        }
    }
    let exempt: BTreeSet<Right> = NEVER_ASKED_FOR
        .iter()
        .map(|(group, resource, verb)| ((*group).into(), (*resource).into(), (*verb).into()))
        .collect();
    let unused: Vec<_> = given
        .difference(&used)
        .filter(|right| !exempt.contains(*right))
        .collect();
    println!("  {} rights, each of them used", given.len() - exempt.len());
    ensure!(unused.is_empty(), "unused: {unused:?}");
    Ok(())
}

/// Every right of the operator's roles.
fn given(cluster: &Cluster) -> Result<BTreeSet<Right>> {
    let wide = cluster.get(&["clusterrole", "bigtix-operator"])?;
    let own = cluster.within(SYSTEM).get(&["role", "bigtix-operator-own"])?;
    let mut rights = BTreeSet::new();
    for role in [wide, own] {
        for rule in role["rules"].as_array().context("rules")? {
            for group in texts(&rule["apiGroups"]) {
                for resource in texts(&rule["resources"]) {
                    for verb in texts(&rule["verbs"]) {
                        rights.insert((group.clone(), resource.clone(), verb));
                    }
                }
            }
        }
    }
    Ok(rights)
}

fn texts(list: &Value) -> Vec<String> {
    let items = list.as_array().into_iter().flatten();
    items
        .filter_map(|item| item.as_str().map(str::to_owned))
        .collect()
}
