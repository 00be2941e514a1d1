//! What `bigtix up` would do with a resource on this machine. Pure.
//!
//! Everything of a shop on one machine is one run of `bigtix up`: whatever is to change, all of it is stopped and started.
//! So a plan says which fields and which settings of services differ, and then each step in order.

use std::collections::{BTreeMap, BTreeSet};

use bigtix_crds::platform::Payments;
use bigtix_crds::{BigTix, Platform, Service, from_value, validate};
use serde::Serialize;
use serde_json::Value;

use crate::applied::Asked;
use crate::fields::{FieldChange, changes};
use crate::output::Paint;
use crate::resource::ignored;
use crate::services::HELD;
use crate::up::foreseen;

/// What would be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MachinePlan {
    /// Fields that mean something on one machine and differ.
    pub(crate) changes: Vec<FieldChange>,
    /// How the shop is run that differs: the port, or processes instead of tasks.
    pub(crate) run: Vec<String>,
    /// Fields of the resource that mean nothing on one machine.
    pub(crate) ignored: Vec<String>,
    /// Services that get other settings or another number of instances.
    pub(crate) services: Vec<ServiceChange>,
    /// In this order; empty when nothing has to be done.
    pub(crate) steps: Vec<Step>,
    /// The commands that do it.
    pub(crate) commands: Vec<String>,
}

/// A service that is not the same afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServiceChange {
    pub(crate) service: String,
    /// The names of its settings that differ. What they are is not told, because they may be secret.
    pub(crate) settings: Vec<String>,
    pub(crate) instances_before: u32,
    pub(crate) instances_after: u32,
}

/// Something that `bigtix up` or `bigtix down` does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Step {
    pub(crate) action: Action,
    pub(crate) parts: Vec<String>,
    /// Whether they come one after the other, or all at once.
    pub(crate) in_order: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Action {
    Stop,
    Start,
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlanError {
    #[error(
        "what ran last cannot be read by this bigtix ({0}): stop it with the bigtix that runs it, and start it with this one"
    )]
    OtherProgram(String),
}

/// What a resource comes to, as far as a plan wants to know.
struct Meaning<'a> {
    bigtix: BigTix,
    platform: Platform,
    asked: &'a Asked,
}

impl<'a> Meaning<'a> {
    fn of(asked: &'a Asked) -> Result<Self, PlanError> {
        let listed = |violations: Vec<bigtix_crds::Violation>| {
            let all: Vec<_> = violations.iter().map(ToString::to_string).collect();
            PlanError::OtherProgram(all.join("; "))
        };
        let bigtix = from_value(asked.resource.clone()).map_err(listed)?;
        let platform = validate(&bigtix).map_err(listed)?;
        Ok(Self {
            bigtix,
            platform,
            asked,
        })
    }

    fn instances(&self, service: Service) -> u32 {
        let workload = self.platform.services.get(service);
        match self.asked.separate {
            true => workload.map_or(1, |workload| workload.replicas.at_least().max(1)),
            false => 1,
        }
    }

    fn ignored(&self) -> BTreeSet<String> {
        let fields = ignored(&self.bigtix, &self.platform, self.asked.separate);
        // What is said for a person after the path is no part of it.
        let path = |field: String| field.split(' ').next().map(str::to_owned).unwrap_or(field);
        fields.into_iter().map(path).collect()
    }

    fn settings(&self) -> BTreeMap<Service, BTreeMap<String, String>> {
        foreseen(&self.platform, |service| self.instances(service))
    }

    fn stores(&self) -> Vec<String> {
        let stripe = match self.platform.payments {
            Payments::StripeDouble => Some("stripe"),
            Payments::Account { .. } => None,
        };
        let names = ["mongodb", "nats", "redis"].into_iter().chain(stripe);
        names.map(str::to_owned).collect()
    }

    fn services(&self) -> Vec<String> {
        let names = |service: Service| -> Vec<String> {
            match self.asked.separate {
                true => (1..=self.instances(service))
                    .map(|number| format!("{service}-{number}"))
                    .collect(),
                false => vec![service.to_string()],
            }
        };
        HELD.iter().flat_map(|held| names(held.service)).collect()
    }

    fn starts(&self) -> Vec<Step> {
        let start = |parts: Vec<String>| Step {
            action: Action::Start,
            parts,
            in_order: false,
        };
        vec![
            start(self.stores()),
            start(self.services()),
            start(vec!["edge".to_owned()]),
        ]
    }

    fn stops(&self) -> Vec<Step> {
        let stop = |parts: Vec<String>, in_order| Step {
            action: Action::Stop,
            parts,
            in_order,
        };
        let services = self.services().into_iter().rev().collect();
        // Tasks go one by one; processes go on answering while they drain, so they go together.
        vec![
            stop(vec!["edge".to_owned()], false),
            stop(services, !self.asked.separate),
            stop(self.stores(), false),
        ]
    }
}

/// The plan for `new` on a folder that ran `old` last. `commands` are what carries it out.
pub(crate) fn plan(
    old: Option<&Asked>,
    new: &Asked,
    is_running: bool,
    commands: Vec<String>,
) -> Result<MachinePlan, PlanError> {
    let after = Meaning::of(new)?;
    let before = old.map(Meaning::of).transpose()?;
    let ignored = after.ignored();
    let (mut fields, mut run, mut services) = (Vec::new(), Vec::new(), Vec::new());
    if let Some(before) = &before {
        let means_nothing: BTreeSet<String> = ignored.union(&before.ignored()).cloned().collect();
        fields = meaningful(before, &after, &means_nothing);
        run = differently(before.asked, new);
        services = other_services(before, &after);
    }
    let is_same = fields.is_empty() && run.is_empty() && before.is_some();
    let mut steps = Vec::new();
    if !(is_same && is_running) {
        steps.extend(before.iter().filter(|_| is_running).flat_map(Meaning::stops));
        steps.extend(after.starts());
    }
    Ok(MachinePlan {
        commands: if steps.is_empty() { Vec::new() } else { commands },
        changes: fields,
        run,
        ignored: ignored.into_iter().collect(),
        services,
        steps,
    })
}

fn meaningful(before: &Meaning<'_>, after: &Meaning<'_>, ignored: &BTreeSet<String>) -> Vec<FieldChange> {
    let spec = |meaning: &Meaning<'_>| serde_json::to_value(&meaning.bigtix.spec).unwrap_or(Value::Null);
    let is_below = |path: &str, field: &String| {
        path.strip_prefix(field.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            || field
                .strip_prefix(path)
                .is_some_and(|rest| rest.starts_with(['.', '[']))
    };
    changes(&spec(before), &spec(after), "spec")
        .into_iter()
        .filter(|change| !ignored.iter().any(|field| is_below(&change.path, field)))
        .collect()
}

fn differently(old: &Asked, new: &Asked) -> Vec<String> {
    let mut found = Vec::new();
    if old.separate != new.separate {
        let how = if new.separate {
            "processes of their own"
        } else {
            "tasks of one process"
        };
        found.push(format!("services as {how}"));
    }
    if old.port != new.port {
        let named = |port| {
            if port == 0 {
                "a free one".to_owned()
            } else {
                format!("{port}")
            }
        };
        found.push(format!("port {} -> {}", named(old.port), named(new.port)));
    }
    found
}

fn other_services(before: &Meaning<'_>, after: &Meaning<'_>) -> Vec<ServiceChange> {
    let (old, new) = (before.settings(), after.settings());
    let change = |service: Service| {
        let none = BTreeMap::new();
        let (old, new) = (
            old.get(&service).unwrap_or(&none),
            new.get(&service).unwrap_or(&none),
        );
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        let change = ServiceChange {
            service: service.to_string(),
            settings: names
                .into_iter()
                .filter(|name| old.get(*name) != new.get(*name))
                .cloned()
                .collect(),
            instances_before: before.instances(service),
            instances_after: after.instances(service),
        };
        let is_other = !change.settings.is_empty() || change.instances_before != change.instances_after;
        is_other.then_some(change)
    };
    HELD.iter().filter_map(|held| change(held.service)).collect()
}

impl MachinePlan {
    /// Whether there is nothing to do.
    pub(crate) fn is_nothing(&self) -> bool {
        self.steps.is_empty()
    }

    /// As a person reads it.
    pub(crate) fn text(&self, paint: Paint) -> String {
        let Self {
            changes,
            run,
            ignored,
            services,
            steps,
            commands,
        } = self;
        let mut page = Vec::new();
        if !ignored.is_empty() {
            page.push(paint.faint(&format!("Ignored on one machine: {}", ignored.join(", "))));
        }
        if self.is_nothing() {
            page.push(paint.good("Nothing would change."));
            return page.join("\n");
        }
        if !changes.is_empty() || !run.is_empty() {
            page.push("Changes:".to_owned());
            page.extend(changes.iter().map(|change| format!("  {}", change.line())));
            page.extend(run.iter().map(|line| format!("  ~ {line}")));
        }
        page.extend(services.iter().map(ServiceChange::line));
        page.push("Steps, in this order:".to_owned());
        page.extend(steps.iter().map(|step| format!("  {}", step.line(paint))));
        page.push("To carry it out:".to_owned());
        page.extend(commands.iter().map(|command| format!("  {command}")));
        page.join("\n")
    }
}

impl ServiceChange {
    fn line(&self) -> String {
        let Self {
            service,
            settings,
            instances_before,
            instances_after,
        } = self;
        let mut parts = Vec::new();
        if !settings.is_empty() {
            parts.push(format!("gets another {}", settings.join(", ")));
        }
        if instances_before != instances_after {
            parts.push(format!(
                "runs {instances_after} times instead of {instances_before}"
            ));
        }
        format!("  {service} {}", parts.join(" and "))
    }
}

impl Step {
    fn line(&self, paint: Paint) -> String {
        let Self {
            action,
            parts,
            in_order,
        } = self;
        let action = match action {
            Action::Stop => paint.bad("stop "),
            Action::Start => paint.good("start"),
        };
        let how = match (parts.len() > 1, in_order) {
            (false, _) => "",
            (true, true) => ", one after the other",
            (true, false) => ", all at once",
        };
        format!("{action} {}{how}", parts.join(", "))
    }
}

#[cfg(test)]
mod tests;
