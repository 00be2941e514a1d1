//! Going back in a cluster: the resource asks again for what served users last, or for the release before that. How that is
//! brought about, and whether it may be, is for the operator.

use bigtix_crds::v1alpha1::{Approval, ReleasedService};
use bigtix_crds::{BigTix, Catalog, Service, from_value, validate_against};
use kube::ResourceExt;
use kube::api::{Api, Patch, PatchParams};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Cluster, failed};
use crate::args::RollbackArgs;
use crate::cluster::ClusterError;
use crate::cluster::plan::{self, ClusterPlan, PlanError};
use crate::output::Paint;

/// Why nothing is gone back to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RollbackError {
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(
        "no release of {0} has ever served users, so there is nothing to go back to: change spec.version or the images, and apply"
    )]
    NothingServed(String),
    #[error(
        "{shop} runs {current}, which is what it asks for, and no release before it is recorded: ask for one with spec.version"
    )]
    NothingBefore { shop: String, current: String },
    #[error("{to} cannot be gone back to: {why}")]
    Impossible { to: String, why: String },
}

/// What is gone back to.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Back {
    /// The release of the platform.
    pub(crate) release: String,
    /// What the resource is merged with.
    pub(crate) patch: Value,
    /// What the operator then does.
    pub(crate) plan: Option<ClusterPlan>,
    pub(crate) is_dry_run: bool,
}

impl Back {
    /// As a person reads it.
    pub(crate) fn text(&self, paint: Paint) -> String {
        let Self {
            release,
            patch: _,
            plan,
            is_dry_run,
        } = self;
        let would = if *is_dry_run { "Would ask for" } else { "Asked for" };
        let plan = plan.as_ref().map(|plan| plan.text(paint)).unwrap_or_default();
        format!("{would} release {release}.\n{plan}")
    }
}

/// Goes back, or says what would be gone back to.
pub(crate) async fn rollback(cluster: &Cluster, args: &RollbackArgs) -> Result<Back, RollbackError> {
    let options = &args.shop.cluster;
    let live = cluster.shop(options.name.as_deref()).await?;
    let (release, patch) = decide(&live)?;
    let mut document = json!({"apiVersion": "bigtix.dev/v1alpha1", "kind": "BigTix", "metadata": {"name": live.name_any()},
        "spec": serde_json::to_value(&live.spec).unwrap_or_default()});
    json_patch(&mut document, &patch);
    let mut wanted = live.clone();
    wanted.spec = from_value(document)
        .map_err(|found| RollbackError::Impossible {
            to: release.clone(),
            why: found
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("; "),
        })?
        .spec;
    wanted.metadata.generation = live.metadata.generation.map(|generation| generation + 1);
    let plan = plan::planned(cluster, &options.operator_namespace, Some(&live), &wanted).await?;
    if plan.is_held {
        return Err(RollbackError::Impossible {
            to: release,
            why: plan.end,
        });
    }
    if !args.dry_run {
        let api = Api::<BigTix>::namespaced(cluster.client.clone(), &cluster.namespace);
        let patched = api
            .patch(&live.name_any(), &PatchParams::default(), &Patch::Merge(&patch))
            .await;
        patched.map_err(|error| failed(&error, "the resource cannot be changed"))?;
    }
    Ok(Back {
        release,
        patch,
        plan: Some(plan),
        is_dry_run: args.dry_run,
    })
}

/// The release to ask for, and the patch that asks for it.
fn decide(live: &BigTix) -> Result<(String, Value), RollbackError> {
    let status = live.status.clone().unwrap_or_default();
    let Some(current) = status.version.current else {
        return Err(RollbackError::NothingServed(live.name_any()));
    };
    let overrides = overrides(live, &status.version.services, &current);
    let is_at_rest = live.spec.version == current && overrides.is_empty();
    let (release, overrides) = match (is_at_rest, status.version.previous) {
        // What is asked for does not serve users: back to what does.
        (false, _) => (current, overrides),
        (true, Some(previous)) => (previous, Map::new()),
        (true, None) => {
            return Err(RollbackError::NothingBefore {
                shop: live.name_any(),
                current,
            });
        }
    };
    let mut spec = json!({"version": release});
    if !overrides.is_empty() {
        spec["services"] = Value::Object(overrides);
    }
    if live.spec.upgrade.approval == Approval::Manual {
        // Whoever goes back has approved of it.
        spec["upgrade"] = json!({"approvedVersion": release});
    }
    Ok((release, json!({"spec": spec})))
}

/// Of services whose build is chosen by the resource, and is another than the one that served users: what gives that back.
fn overrides(live: &BigTix, good: &[ReleasedService], release: &str) -> Map<String, Value> {
    let mut found = Map::new();
    for ReleasedService { name, version, image } in good {
        let Ok(service) = name.parse::<Service>() else {
            continue;
        };
        let chosen = live.spec.services.get(service);
        let build = |version: Value, image: Value| json!({"version": version, "image": image});
        let present = (json!(chosen.version), json!(chosen.image));
        let choices = [
            present.clone(),
            (Value::Null, Value::Null),
            (json!(version), Value::Null),
            (Value::Null, json!(image)),
        ];
        let gives = |(chosen, with): &(Value, Value)| {
            resolved(live, service, release, &build(chosen.clone(), with.clone()))
                .is_some_and(|(found, at)| found == *version && at == *image)
        };
        let choice = choices
            .into_iter()
            .find(gives)
            .unwrap_or_else(|| (json!(version), json!(image)));
        if choice != present {
            found.insert(name.clone(), build(choice.0, choice.1));
        }
    }
    found
}

/// What a service would run.
fn resolved(live: &BigTix, service: Service, release: &str, build: &Value) -> Option<(String, String)> {
    let mut document = json!({"apiVersion": "bigtix.dev/v1alpha1", "kind": "BigTix", "metadata": {"name": live.name_any()},
        "spec": serde_json::to_value(&live.spec).ok()?});
    json_patch(
        &mut document,
        &json!({"spec": {"version": release, "services": {service.as_str(): build}}}),
    );
    let platform = validate_against(&from_value(document).ok()?, None, &Catalog::embedded()).ok()?;
    let workload = platform.services.get(service)?;
    Some((workload.version.to_string(), workload.image.as_str().to_owned()))
}

/// As an API server merges it.
fn json_patch(document: &mut Value, patch: &Value) {
    match (document, patch) {
        (Value::Object(document), Value::Object(patch)) => {
            for (name, value) in patch {
                if value.is_null() {
                    document.remove(name);
                } else {
                    json_patch(document.entry(name).or_insert(json!({})), value);
                }
            }
        }
        (document, patch) => *document = patch.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVICES: [&str; 6] = ["auth", "tickets", "orders", "payments", "expiration", "web"];

    fn shop(spec: Value, current: Option<&str>, previous: Option<&str>) -> BigTix {
        let resource = json!({"apiVersion": "bigtix.dev/v1alpha1", "kind": "BigTix", "metadata": {"name": "shop"}, "spec": spec});
        let mut shop = from_value(resource).unwrap();
        let service = |name: &str| json!({"name": name, "version": "1.0.0", "image": format!("ghcr.io/bigtix/{name}:1.0.0")});
        let services: Vec<Value> = SERVICES.iter().map(|name| service(name)).collect();
        let status = json!({"version": {"current": current, "previous": previous, "services": services}});
        shop.status = Some(serde_json::from_value(status).unwrap());
        shop
    }

    #[test]
    fn a_release_that_does_not_serve_users_is_left_for_the_one_that_does() {
        let (release, patch) =
            decide(&shop(json!({"version": "1.1.0"}), Some("1.0.0"), Some("0.9.0"))).unwrap();
        assert_eq!(
            (release.as_str(), patch),
            ("1.0.0", json!({"spec": {"version": "1.0.0"}}))
        );
    }

    #[test]
    fn a_release_that_serves_users_is_left_for_the_one_before_it() {
        let (release, patch) =
            decide(&shop(json!({"version": "1.0.0"}), Some("1.0.0"), Some("0.9.0"))).unwrap();
        assert_eq!(
            (release.as_str(), patch),
            ("0.9.0", json!({"spec": {"version": "0.9.0"}}))
        );
        let manual = json!({"version": "1.0.0", "upgrade": {"approval": "Manual"}});
        let (_, patch) = decide(&shop(manual, Some("1.0.0"), Some("0.9.0"))).unwrap();
        assert_eq!(patch["spec"]["upgrade"]["approvedVersion"], "0.9.0");
    }

    #[test]
    fn an_image_that_was_chosen_and_failed_is_let_go() {
        let chosen =
            json!({"version": "1.0.0", "services": {"orders": {"image": "broken:1", "replicas": 2}}});
        let (release, patch) = decide(&shop(chosen, Some("1.0.0"), None)).unwrap();
        assert_eq!(release, "1.0.0");
        assert_eq!(
            patch["spec"]["services"],
            json!({"orders": {"version": null, "image": null}})
        );
    }

    #[test]
    fn without_anything_to_go_back_to_it_says_why() {
        let said = |shop: &BigTix| decide(shop).unwrap_err().to_string();
        assert!(said(&shop(json!({"version": "1.0.0"}), None, None)).contains("has ever served users"));
        assert!(
            said(&shop(json!({"version": "1.0.0"}), Some("1.0.0"), None)).contains("no release before it")
        );
    }
}
