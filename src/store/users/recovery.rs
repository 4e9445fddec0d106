//! What is asked of an account whose owner isn't signed in, or gets a mail.

use bson::{Bson, doc};
use serde::Deserialize;

use super::{Account, Identifier, Users};
use crate::{
    domain::{email::Email, ids::UserId, time::Timestamp},
    store::{StoreError, find_part},
};

/// An account somebody wants to get back into.
#[derive(Debug, Deserialize)]
pub struct Recoverable {
    /// The account.
    #[serde(flatten)]
    pub account: Account,
    /// When its password was last reset by a link.
    pub last_reset_at: Option<Timestamp>,
}

impl Account {
    /// The address that was proven.
    pub fn proven_email(&self) -> Option<&Email> {
        self.verification.proven_email()
    }

    /// Whether this very address was proven.
    pub fn has_proven(&self, email: &Email) -> bool {
        self.proven_email() == Some(email)
    }

    /// Where the owner can be told of something: the proven address, before one that is only claimed.
    pub fn mail_address(&self) -> Option<&Email> {
        self.proven_email().or(self.email.as_ref())
    }

    /// Where a link to reset the password may go. Once a number is proven, an address that is only claimed may be
    /// somebody else's.
    pub fn reset_address(&self) -> Option<&Email> {
        let number_is_proven = self.verification.phone.as_ref().is_some_and(|phone| phone.verified_at.is_some());
        if number_is_proven { self.proven_email() } else { self.mail_address() }
    }
}

impl Users {
    /// An account that may be used.
    pub async fn active(&self, user: UserId) -> Result<Option<Account>, StoreError> {
        find_part(&self.docs, doc! { "_id": user, "is_active": true }, Account::projection()).await
    }

    /// The account that somebody names to get back into it.
    pub async fn recoverable(&self, identifier: &Identifier) -> Result<Option<Recoverable>, StoreError> {
        let mut fields = Account::projection();
        fields.insert("last_reset_at", Bson::Int32(1));
        find_part(&self.docs, identifier.filter(), fields).await
    }
}
