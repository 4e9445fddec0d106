//! Who writes to the catalogue or to somebody's account, for the audits.

use super::ids::UserId;

/// A signed-in member of the staff, and the request that carries the write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The account.
    pub user_id: UserId,
    /// Its name at that time.
    pub username: String,
    /// The id of the request, as in the logs.
    pub request_id: String,
}
