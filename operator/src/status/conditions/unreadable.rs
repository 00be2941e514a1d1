//! What is said of a resource that cannot be read.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use super::{Saying, condition};

/// The reason of a resource that cannot be read.
pub(crate) const UNREADABLE: &str = "Unreadable";

/// What to say of one.
pub(crate) fn unreadable(error: &str) -> String {
    format!(
        "the stored resource cannot be read, so nothing is changed until it is mended with kubectl edit: {error}; resources of other \
         shops are not held up"
    )
}

/// The conditions that a resource which cannot be read is to have: those that are `said` with these in their places. None
/// when they are said already.
pub(crate) fn of_unreadable(
    error: &str,
    generation: i64,
    said: Option<&Value>,
    now: Timestamp,
) -> Option<Vec<Value>> {
    let said: Vec<Value> = said.and_then(Value::as_array).cloned().unwrap_or_default();
    // What is there may be what cannot be read.
    let before: Vec<Condition> = said
        .iter()
        .filter_map(|said| serde_json::from_value(said.clone()).ok())
        .collect();
    let saying = ["Ready", "SpecValid"].map(|type_| {
        let saying = Saying::no(UNREADABLE, unreadable(error));
        condition(&before, type_, saying, generation, now)
    });
    let is_said = saying.iter().all(|condition| before.contains(condition));
    let is_kept = |said: &Value| saying.iter().all(|new| said["type"] != new.type_.as_str());
    let kept = said.into_iter().filter(is_kept);
    let new = saying.iter().filter_map(|new| serde_json::to_value(new).ok());
    (!is_said).then(|| new.chain(kept).collect())
}
