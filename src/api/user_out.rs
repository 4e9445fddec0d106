//! Accounts as the API shows them. These types contain no secrets, sessions or carts.

use poem_openapi::{Enum, Object, types::Example};

use crate::{
    accounts::Account,
    api::examples,
    values::{ids::UserId, mask, role::Role, time::Timestamp},
};

/// The role of an account. Each role includes the one before it.
#[derive(Debug, Clone, Copy, Enum)]
#[oai(rename = "Role", rename_all = "lowercase")]
pub enum RoleOut {
    /// May buy parts.
    Customer,
    /// May also manage the catalogue.
    Staff,
    /// May also manage the accounts.
    Admin,
}

impl From<Role> for RoleOut {
    fn from(role: Role) -> Self {
        match role {
            Role::Customer => Self::Customer,
            Role::Staff => Self::Staff,
            Role::Admin => Self::Admin,
        }
    }
}

/// The main facts about an account.
#[derive(Debug, Object)]
#[oai(rename = "User", example)]
pub struct UserOut {
    #[oai(rename = "_id")]
    id: UserId,
    /// Username as its owner spells it.
    username: String,
    /// Phone number in E.164 format, such as `+919876543210`.
    phone_number: Option<String>,
    /// E-mail address in lower case.
    email: Option<String>,
    role: RoleOut,
    created_at: Timestamp,
}

impl From<&Account> for UserOut {
    fn from(account: &Account) -> Self {
        Self {
            id: account.id,
            username: account.username.to_string(),
            phone_number: account.phone_number.as_ref().map(ToString::to_string),
            email: account.email.as_ref().map(ToString::to_string),
            role: account.role.into(),
            created_at: account.created_at,
        }
    }
}

impl UserOut {
    /// Returns the account with a masked phone number and e-mail address, for readers who may not know them. What is
    /// left is enough to tell two accounts apart.
    pub fn masked(mut self) -> Self {
        self.phone_number = self.phone_number.map(|number| mask::phone(&number));
        self.email = self.email.map(|address| mask::email(&address));
        self
    }
}

impl Example for UserOut {
    fn example() -> Self {
        Self {
            id: UserId::from(*b"\x67\x41\xf0\xa2\xc3\xb4\xd5\xe6\xf7\xa8\xb9\xc0"),
            username: examples::USERNAME.to_owned(),
            phone_number: Some(examples::NUMBER.to_owned()),
            email: Some(examples::EMAIL.to_owned()),
            role: RoleOut::Customer,
            created_at: examples::NOW,
        }
    }
}
