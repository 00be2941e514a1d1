//! Users and sessions.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::UserId;

/// Somebody who signed up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// The user.
    pub id: UserId,
    /// Trimmed and lower-cased.
    pub email: String,
}

/// Who the session belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CurrentUserAnswer {
    /// Null for a visitor who is not signed in.
    pub current_user: Option<CurrentUser>,
}

/// The signed-in user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CurrentUser {
    /// The user.
    pub id: UserId,
    /// The address.
    pub email: String,
    /// When the session began, in seconds since 1970.
    pub iat: i64,
}
