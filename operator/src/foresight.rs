//! What the operator is going to do about a resource, pass by pass, if whatever it describes comes up. Pure.
//!
//! Nothing is decided here: each pass is the operator's own [`next`] and [`status`], of a cluster in memory in which what
//! was written is there, and every pod is ready. What it cannot foresee is what others do meanwhile: pods that do not come
//! up, an autoscaler, somebody who edits.

mod settled;

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::ResourceExt;
use serde_json::Value;

use crate::build::Child;
use crate::difference::{annotation, fields_given_up, fields_that_differ, stamped};
use crate::kind::Kind;
use crate::next::gate::Reason;
use crate::next::rollout::{Rollout, Step};
use crate::next::{Decision, Findings, Notice, Write, next};
use crate::observe::facts::Observed;
use crate::status::status;

/// As many passes as no change takes.
const MOST_PASSES: usize = 500;

/// What is going to happen.
#[derive(Clone, Debug, PartialEq)]
pub struct Foresight {
    /// In order.
    pub events: Vec<Foreseen>,
    /// What becomes of it.
    pub end: End,
}

/// One thing that is going to happen.
#[derive(Clone, Debug, PartialEq)]
pub enum Foreseen {
    /// The operator writes.
    Write(ForeseenWrite),
    /// The operator tells.
    Notice(Notice),
}

/// A write and its effect.
#[derive(Clone, Debug, PartialEq)]
pub struct ForeseenWrite {
    /// In the operator's words.
    pub what: String,
    /// The kind of the object that is written.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// What becomes of the object.
    pub effect: Effect,
    /// What the object says afterwards that was applied; none of what is not applied.
    pub digest: Option<String>,
}

/// What a write does to its object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It is not there yet.
    Creates,
    /// It is there.
    Changes {
        /// The fields that get another value, or go.
        fields: Vec<String>,
        /// Whether its pods are replaced.
        restarts: bool,
    },
    /// It goes.
    Deletes,
}

/// What becomes of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Everything is as asked.
    Done,
    /// The resource breaks a rule, so nothing is done.
    Refused(Vec<String>),
    /// A rollout that is due does not begin.
    Held(Reason),
    /// Something is waited for that does not come by itself.
    Waits(Reason),
    /// The release was taken back before, and is not tried again by itself.
    Rejected,
    /// There is no end in sight.
    Endless,
}

/// What follows from `observed`, the cluster as it is with the resource as it is to be.
#[must_use]
pub fn foresee(observed: Observed, now: Timestamp) -> Foresight {
    let (mut observed, mut now) = (observed, now);
    let mut events = Vec::new();
    // What is foreseen is that everything comes up, from the first pass on.
    settled::settle(&mut observed);
    for _ in 0..MOST_PASSES {
        let decision = next(&observed, now);
        let said = status(&observed, &decision, now);
        let Decision {
            writes,
            findings,
            notices,
            look_again,
        } = decision;
        let Some(findings) = findings else {
            let violations = observed.verdict.err().unwrap_or_default();
            let end = End::Refused(violations.iter().map(ToString::to_string).collect());
            return Foresight { events, end };
        };
        // A field that is set back again and again is told of once, when it happens.
        let notices = notices
            .into_iter()
            .filter(|notice| notice.reason != "FieldContested");
        events.extend(notices.map(Foreseen::Notice));
        let is_unchanged = writes.is_empty() && observed.resource.status.as_ref() == Some(&said);
        for write in &writes {
            events.push(Foreseen::Write(foreseen(&observed, write)));
            settled::write(&mut observed, write, now);
        }
        observed.resource.status = Some(said);
        settled::settle(&mut observed);
        if is_unchanged {
            match later(&findings, now) {
                Some(then) => {
                    now = then;
                    continue;
                }
                None => {
                    return Foresight {
                        events,
                        end: end(&findings),
                    };
                }
            }
        }
        now = after(now, look_again.min(Duration::from_secs(1)));
    }
    Foresight {
        events,
        end: End::Endless,
    }
}

/// When something happens by itself: a rollout that is watched is done at its deadline.
fn later(findings: &Findings, now: Timestamp) -> Option<Timestamp> {
    match &findings.course.rollout {
        Some(Rollout {
            step: Step::Soak,
            failure: None,
            deadline: Some(deadline),
            ..
        }) if *deadline > now => Some(*deadline),
        _ => None,
    }
}

fn end(findings: &Findings) -> End {
    let Findings {
        course,
        stores,
        brought,
        ingress,
        held,
        unjudged: _,
        is_rejected,
        is_settled: _,
        contests: _,
        postponed: _,
        restoring,
        leaving,
        scheduled: _,
    } = findings;
    if let Some(leaving) = leaving {
        return End::Waits(leaving.reason());
    }
    if let Some(restoring) = restoring {
        return End::Waits(restoring.reason());
    }
    if *is_rejected {
        return End::Rejected;
    }
    let gates = [brought, stores, &course.gate, ingress];
    let waited = gates.into_iter().find_map(|gate| gate.reason());
    match (held, waited) {
        (Some(reason), _) => End::Held(reason.clone()),
        (None, Some(reason)) => End::Waits(reason.clone()),
        (None, None) => End::Done,
    }
}

fn after(now: Timestamp, wait: Duration) -> Timestamp {
    let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::from_secs(1));
    now.checked_add(wait).unwrap_or(now)
}

fn foreseen(observed: &Observed, write: &Write) -> ForeseenWrite {
    let what = write.described();
    let changes = |field: &str| Effect::Changes {
        fields: vec![field.to_owned()],
        restarts: false,
    };
    let plain = |kind: &str, name: &str, effect| ForeseenWrite {
        what: what.clone(),
        kind: kind.to_owned(),
        name: name.to_owned(),
        effect,
        digest: None,
    };
    match write {
        Write::Keep | Write::Release => plain(
            "BigTix",
            &observed.resource.name_any(),
            changes("metadata.finalizers"),
        ),
        Write::Secret(secret) => match observed.secrets.get(&secret.name) {
            None => plain("Secret", &secret.name, Effect::Creates),
            Some(_) => plain("Secret", &secret.name, changes("data")),
        },
        Write::RotateSessionKeys(name) => plain("Secret", name, changes("data")),
        Write::Apply(child) => applied(observed, child, what),
        Write::Delete(kind, name) => plain(&format!("{kind:?}"), name, Effect::Deletes),
        Write::Claim(claim) => plain("PersistentVolumeClaim", &claim.name_any(), Effect::Creates),
        Write::DeleteClaim(name) => plain("PersistentVolumeClaim", name, Effect::Deletes),
        Write::Backup { name, .. } => plain("BigTixBackup", name, Effect::Creates),
        Write::DeleteBackup(name) => plain("BigTixBackup", name, Effect::Deletes),
        Write::Grow { claim, size: _ } => plain(
            "PersistentVolumeClaim",
            claim,
            changes("spec.resources.requests.storage"),
        ),
        Write::Mongodb(_) => plain("MongoDB", "replica set", changes("members and users")),
    }
}

fn applied(observed: &Observed, child: &Child, what: String) -> ForeseenWrite {
    let wanted = stamped(child.to_value().unwrap_or(Value::Null));
    let kind = child.kind();
    let live = kind.and_then(|kind| observed.live.objects.get(&(kind, child.name().to_owned())));
    let effect = match (live, kind) {
        (Some(live), Some(kind)) => changed(kind, &wanted, live),
        (None, _) | (_, None) => Effect::Creates,
    };
    let annotations = wanted.pointer("/metadata/annotations");
    let digest = annotations.and_then(|annotations| annotations[annotation()].as_str());
    ForeseenWrite {
        what,
        kind: kind.map(|kind| format!("{kind:?}")).unwrap_or_default(),
        name: child.name().to_owned(),
        effect,
        digest: digest.map(str::to_owned),
    }
}

fn changed(kind: Kind, wanted: &Value, live: &Value) -> Effect {
    const TEMPLATE: &str = "spec.template";
    let own = format!("metadata.annotations.{}", annotation());
    let mut fields = fields_that_differ(wanted, live);
    let gone = fields_given_up(kind.manager(), wanted, live);
    fields.extend(gone.into_iter().map(|field| format!("{field} (goes)")));
    fields.retain(|field| !field.starts_with(&own) && !field.starts_with("metadata.managedFields"));
    let has_pods = matches!(kind, Kind::Deployment | Kind::StatefulSet);
    let is_template = |field: &String| field.starts_with(TEMPLATE);
    Effect::Changes {
        restarts: has_pods && fields.iter().any(is_template),
        fields,
    }
}

impl Foresight {
    /// The digests of all objects that are going to be applied, the last one of each.
    #[must_use]
    pub fn digests(&self) -> BTreeMap<(String, String), String> {
        let digest = |event: &Foreseen| match event {
            Foreseen::Write(write) => {
                let digest = write.digest.clone()?;
                Some(((write.kind.clone(), write.name.clone()), digest))
            }
            Foreseen::Notice(_) => None,
        };
        self.events.iter().filter_map(digest).collect()
    }

    /// Whether nothing is going to be written.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        !self
            .events
            .iter()
            .any(|event| matches!(event, Foreseen::Write(_)))
    }
}

#[cfg(test)]
mod tests;
