use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Aggregate;
use crate::UserId;

/// Somebody who signed up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserState {
    /// The user.
    pub id: UserId,
    /// Trimmed and lower-cased.
    pub email: String,
    /// When the user signed up.
    pub created_at: Timestamp,
}

impl Aggregate for UserState {
    const PRODUCER: &'static str = "auth";
    const KIND: &'static str = "user";

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn event_type(&self, _version: i64) -> &'static str {
        "user.created"
    }
}
