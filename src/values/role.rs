//! Roles of accounts.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The role of an account, which says what it may do. Each role may also do what the roles before it may.
///
/// Permissions are always checked with the role that is stored in the account, never with the claim of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// May buy.
    Customer,
    /// May also manage the catalogue.
    Staff,
    /// May also manage the accounts.
    Admin,
}

/// The error for a text that isn't the name of a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be customer, staff or admin")]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        match text {
            "customer" => Ok(Self::Customer),
            "staff" => Ok(Self::Staff),
            "admin" => Ok(Self::Admin),
            _ => Err(UnknownRole),
        }
    }
}

impl Role {
    /// Returns the role's name as it is stored: `customer`, `staff` or `admin`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Staff => "staff",
            Self::Admin => "admin",
        }
    }

    /// Returns whether the role may manage the catalogue; true for staff and admins.
    pub fn is_staff(self) -> bool {
        self >= Role::Staff
    }
}
