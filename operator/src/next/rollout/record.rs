//! The rollout as the status remembers it.

use bigtix_crds::v1alpha1::RolloutStatus;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{Failure, Rollout, Step};

const SERVICE: &str = "RollOut";
const SOAK: &str = "Soak";
const BACK: &str = "RollBack";
const RECALL: &str = "Recall";

impl Rollout {
    /// As the status remembers it; none when it cannot be read, and then the rollout begins anew.
    #[must_use]
    pub fn recorded(status: &RolloutStatus) -> Option<Self> {
        let RolloutStatus {
            id,
            from,
            to,
            step,
            service,
            rolling_back,
            started_at,
            deadline,
            reason,
            point_of_no_return,
        } = status;
        let step = match (step.as_str(), service) {
            (SOAK, None) => Step::Soak,
            (RECALL | SERVICE | BACK, Some(service)) => Step::Service(service.parse().ok()?),
            _ => return None,
        };
        Some(Self {
            id: id.clone(),
            from: from.as_ref().and_then(|from| from.parse().ok()),
            to: to.parse().ok()?,
            step,
            failure: match (rolling_back, status.step.as_str()) {
                (false, _) => None,
                (true, RECALL) => Some(Failure::Recalled),
                (true, _) => Some(Failure::Bad(reason.clone().unwrap_or_default())),
            },
            started_at: started_at.as_ref()?.0,
            deadline: deadline.as_ref().map(|deadline| deadline.0),
            is_past_return: *point_of_no_return,
        })
    }

    /// For the status to remember.
    #[must_use]
    pub fn record(&self) -> RolloutStatus {
        let (step, service, reason) = match (self.step, &self.failure) {
            (Step::Soak, _) => (SOAK, None, None),
            (Step::Service(service), None) => (SERVICE, Some(service), None),
            (Step::Service(service), Some(Failure::Bad(why))) => (BACK, Some(service), Some(why.clone())),
            (Step::Service(service), Some(Failure::Recalled)) => (RECALL, Some(service), None),
        };
        RolloutStatus {
            id: self.id.clone(),
            from: self.from.as_ref().map(ToString::to_string),
            to: self.to.to_string(),
            step: step.to_owned(),
            service: service.map(|service| service.to_string()),
            rolling_back: self.failure.is_some(),
            started_at: Some(Time(self.started_at)),
            deadline: self.deadline.map(Time),
            reason,
            point_of_no_return: self.is_past_return,
        }
    }
}
