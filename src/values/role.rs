//! What an account may do.

use std::str::FromStr;

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

/// The text is none of the roles.
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
    /// The role as it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Staff => "staff",
            Self::Admin => "admin",
        }
    }

    /// Whether the account may run the catalogue.
    pub fn is_staff(self) -> bool {
        self >= Role::Staff
    }
}
