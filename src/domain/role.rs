//! What an account may do.

use serde::{Deserialize, Serialize};

/// The role of an account; always read from the account, never from a token's claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Buys.
    Customer,
    /// Runs the catalogue as well.
    Staff,
    /// Runs the accounts as well.
    Admin,
}

impl Role {
    /// Whether the account may run the catalogue.
    pub fn is_staff(self) -> bool {
        self >= Role::Staff
    }
}
