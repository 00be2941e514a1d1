//! What the operator would do about an edited resource: its own functions, run ahead. Only what is asked of the API server
//! is an effect here; nothing is written.

mod merge;

use bigtix_crds::{BigTix, from_value, set, to_value, validate, validate_update};
use bigtix_operator::foresight::{Effect, End, Foreseen, ForeseenWrite, Foresight, foresee};
use bigtix_operator::observe::Outside;
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Cluster, ClusterError, failed};
use crate::args::PlanArgs;
use crate::fields::{FieldChange, changes};
use crate::output::Paint;
use crate::resource::{ResourceError, text_of};

/// What kubectl keeps of what was applied last.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlanError {
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    #[error(transparent)]
    Resource(#[from] ResourceError),
    #[error(
        "the file is about {in_file:?} and --{what} says {asked:?}: leave --{what} out, or name the other file"
    )]
    Contradiction {
        what: &'static str,
        in_file: String,
        asked: String,
    },
}

/// What would be done.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ClusterPlan {
    /// The fields of the resource that differ.
    pub(crate) changes: Vec<FieldChange>,
    /// What the operator does and tells, in order.
    pub(crate) steps: Vec<Step>,
    /// What becomes of it in the end, in one sentence.
    pub(crate) end: String,
    /// Whether everything is as asked in the end.
    pub(crate) is_done_in_the_end: bool,
    /// Whether it does not begin, and why stands in `end`.
    pub(crate) is_held: bool,
}

/// Something that the operator does.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Step {
    pub(crate) action: Action,
    /// Of what kind the object is, or what is told.
    pub(crate) kind: String,
    pub(crate) name: String,
    /// Of an object that changes: which fields get another value, or go.
    pub(crate) fields: Vec<String>,
    /// Whether its pods are replaced.
    pub(crate) restarts: bool,
    /// The digest that the object's annotation has afterwards.
    pub(crate) digest: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Action {
    Create,
    Change,
    Delete,
    /// An event is published.
    Tell,
}

/// The plan that the command line asks for.
pub(crate) async fn plan(cluster: &mut Cluster, args: &PlanArgs) -> Result<ClusterPlan, PlanError> {
    let (live, wanted) = match &args.file {
        None => {
            let live = cluster.shop(args.shop.cluster.name.as_deref()).await?;
            let mut wanted = plain(&live);
            sets(&mut wanted, &args.set)?;
            (Some(live), wanted)
        }
        Some(path) => {
            let (text, _) = text_of(Some(path))?;
            let mut file =
                to_value(&text).map_err(|error| refused(path.display(), vec![error.to_string()]))?;
            sets(&mut file, &args.set)?;
            from_value(file.clone()).map_err(|found| refused(path.display(), listed(&found)))?;
            let name = meant("name", &file["metadata"]["name"], args.shop.cluster.name.as_ref())?;
            let own = (
                &file["metadata"]["namespace"],
                args.shop.cluster.namespace.as_ref(),
            );
            if own.0.is_string() {
                cluster.namespace = meant("namespace", own.0, own.1)?;
            }
            let live = cluster.found(&name).await?;
            let wanted = match &live {
                Some(live) => merge::merged(&plain(live), &last_applied(live), &file),
                None => file,
            };
            (live, wanted)
        }
    };
    let wanted = edited(live.as_ref(), wanted, &cluster.namespace)?;
    planned(
        cluster,
        &args.shop.cluster.operator_namespace,
        live.as_ref(),
        &wanted,
    )
    .await
}

/// The plan for this resource in the place of that one.
pub(crate) async fn planned(
    cluster: &Cluster,
    operator_namespace: &str,
    live: Option<&BigTix>,
    wanted: &BigTix,
) -> Result<ClusterPlan, PlanError> {
    if let Some(live) = live {
        // What must not change is for the API server to refuse, which the operator never gets to see.
        let known = validate(wanted).err().unwrap_or_default();
        let transition = validate_update(live, wanted).err().unwrap_or_default();
        let broken: Vec<_> = transition
            .into_iter()
            .filter(|violation| !known.contains(violation))
            .collect();
        if !broken.is_empty() {
            return Err(refused("The change", listed(&broken)).into());
        }
    }
    let outside = Outside {
        client: cluster.client.clone(),
        operator_namespace: operator_namespace.to_owned(),
    };
    let observed = outside.observe(wanted).await;
    let observed = observed.map_err(|error| failed(&error, "the shop's objects cannot be read"))?;
    let foresight = foresee(observed, Timestamp::now());
    if let End::Refused(why) = &foresight.end {
        return Err(refused("The resource", why.clone()).into());
    }
    Ok(described(live, wanted, &foresight))
}

fn sets(document: &mut Value, sets: &[(String, String)]) -> Result<(), ResourceError> {
    for (path, value) in sets {
        set(document, path, value).map_err(|error| refused("--set", vec![error.to_string()]))?;
    }
    Ok(())
}

fn refused(name: impl std::fmt::Display, problems: Vec<String>) -> ResourceError {
    ResourceError::Invalid {
        name: name.to_string(),
        problems,
    }
}

fn listed(violations: &[bigtix_crds::Violation]) -> Vec<String> {
    violations.iter().map(ToString::to_string).collect()
}

/// What the file says, unless the command line says something else.
fn meant(what: &'static str, in_file: &Value, asked: Option<&String>) -> Result<String, PlanError> {
    let in_file = in_file.as_str().unwrap_or_default().to_owned();
    match asked {
        Some(asked) if *asked != in_file => Err(PlanError::Contradiction {
            what,
            in_file,
            asked: asked.clone(),
        }),
        _ => Ok(in_file),
    }
}

/// What is compared and merged: no status and nothing that the API server keeps for itself.
fn plain(shop: &BigTix) -> Value {
    json!({
        "apiVersion": "bigtix.dev/v1alpha1", "kind": "BigTix",
        "metadata": {"name": shop.name_any(), "annotations": shop.annotations()},
        "spec": serde_json::to_value(&shop.spec).unwrap_or_default(),
    })
}

fn last_applied(shop: &BigTix) -> Value {
    let text = shop.annotations().get(LAST_APPLIED).map(String::as_str);
    text.and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or(Value::Null)
}

/// The resource as the API server would have it afterwards.
fn edited(live: Option<&BigTix>, wanted: Value, namespace: &str) -> Result<BigTix, ResourceError> {
    let parsed = from_value(wanted).map_err(|found| refused("The resource", listed(&found)))?;
    let mut resource = match live {
        None => {
            let mut resource = parsed;
            resource.metadata.generation = Some(1);
            resource
        }
        Some(live) => {
            let mut resource = live.clone();
            if plain(live)["spec"] != plain(&parsed)["spec"] {
                resource.metadata.generation = live.metadata.generation.map(|generation| generation + 1);
            }
            resource.spec = parsed.spec;
            resource.metadata.annotations = parsed.metadata.annotations;
            resource
        }
    };
    resource.metadata.namespace = Some(namespace.to_owned());
    Ok(resource)
}

/// In words of the command line. Of a shop that is not there yet no digest is known: its objects name an owner that has no
/// id so far.
fn described(live: Option<&BigTix>, wanted: &BigTix, foresight: &Foresight) -> ClusterPlan {
    let mut steps: Vec<Step> = foresight.events.iter().map(step).collect();
    if live.is_none() {
        steps.iter_mut().for_each(|step| step.digest = None);
    }
    let spec = |shop: Option<&BigTix>| shop.map(|shop| plain(shop)["spec"].clone()).unwrap_or_default();
    ClusterPlan {
        changes: changes(&spec(live), &spec(Some(wanted)), "spec"),
        steps,
        end: end(&foresight.end),
        is_done_in_the_end: foresight.end == End::Done,
        is_held: matches!(foresight.end, End::Held(_)),
    }
}

fn step(event: &Foreseen) -> Step {
    match event {
        Foreseen::Notice(notice) => Step {
            action: Action::Tell,
            kind: notice.reason.to_owned(),
            name: notice.message.clone(),
            fields: Vec::new(),
            restarts: false,
            digest: None,
        },
        Foreseen::Write(ForeseenWrite {
            what: _,
            kind,
            name,
            effect,
            digest,
        }) => {
            let (action, fields, restarts) = match effect {
                Effect::Creates => (Action::Create, Vec::new(), false),
                Effect::Changes { fields, restarts } => (Action::Change, fields.clone(), *restarts),
                Effect::Deletes => (Action::Delete, Vec::new(), false),
            };
            Step {
                action,
                kind: kind.clone(),
                name: name.clone(),
                fields,
                restarts,
                digest: digest.clone(),
            }
        }
    }
}

fn end(end: &End) -> String {
    match end {
        End::Done => "everything is as asked".to_owned(),
        End::Refused(why) => format!("nothing is done, because the resource is refused: {}", why.join("; ")),
        End::Held(reason) => format!("it is held: {}: {}", reason.predicate, reason.message),
        End::Waits(reason) => format!("it waits: {}: {}", reason.predicate, reason.message),
        End::Rejected => "the release was taken back before; it is tried again when the version or an image changes, or when the \
                          annotation bigtix.dev/retry is set to the present time"
            .to_owned(),
        End::Endless => "no end can be foreseen".to_owned(),
    }
}

impl ClusterPlan {
    /// Whether the operator would write nothing.
    pub(crate) fn is_nothing(&self) -> bool {
        self.changes.is_empty() && self.steps.iter().all(|step| step.action == Action::Tell)
    }

    /// As a person reads it.
    pub(crate) fn text(&self, paint: Paint) -> String {
        let Self {
            changes,
            steps,
            end,
            is_done_in_the_end,
            is_held: _,
        } = self;
        let mut page = Vec::new();
        if !changes.is_empty() {
            page.push("Changes of the resource:".to_owned());
            page.extend(changes.iter().map(|change| format!("  {}", change.line())));
        }
        if self.steps.iter().all(|step| step.action == Action::Tell) {
            page.push(paint.good("No object would change."));
        } else {
            page.push("The operator would, in this order and each behind its gates:".to_owned());
            page.extend(steps.iter().map(|step| step.line(paint)));
        }
        let end = format!("In the end {end}.");
        page.push(if *is_done_in_the_end {
            paint.good(&end)
        } else {
            paint.fair(&end)
        });
        page.join("\n")
    }
}

/// How many fields of an object a person wants to read.
const SHOWN: usize = 4;

impl Step {
    fn line(&self, paint: Paint) -> String {
        let Self {
            action,
            kind,
            name,
            fields,
            restarts,
            digest: _,
        } = self;
        let action = match action {
            Action::Create => paint.good("create"),
            Action::Change => paint.fair("change"),
            Action::Delete => paint.bad("delete"),
            Action::Tell => return format!("  {}   {kind}: {name}", paint.faint("tell")),
        };
        let restarts = if *restarts { ", replaces its pods" } else { "" };
        let more = fields.len().saturating_sub(SHOWN);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        let shown: Vec<&str> = fields.iter().take(SHOWN).map(String::as_str).collect();
        let fields = if shown.is_empty() {
            String::new()
        } else {
            format!(": {}{more}", shown.join(", "))
        };
        format!("  {action} {kind} {name}{restarts}{}", paint.faint(&fields))
    }
}

#[cfg(test)]
mod tests;
