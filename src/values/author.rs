//! Authors of changes, as the audits name them.

use super::ids::UserId;

/// A member of the staff who changes the catalogue or somebody's account, and the request that does so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The member's account.
    pub user_id: UserId,
    /// Name of the account at the time of the request.
    pub username: String,
    /// Id of the request, which the logs show too.
    pub request_id: String,
}
