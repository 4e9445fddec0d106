//! What is asked of an account whose owner isn't signed in, or gets a mail.

use bson::{Bson, doc};
use serde::Deserialize;

use super::{Account, Identifier, Users, contacts::has_proven};
use crate::{
    db::{StoreError, query::find_part},
    values::{ids::UserId, time::Timestamp},
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

impl Users {
    /// An account that may be used.
    pub(in crate::accounts) async fn active(&self, user: UserId) -> Result<Option<Account>, StoreError> {
        find_part(&self.docs, doc! { "_id": user, "is_active": true }, Account::projection()).await
    }

    /// The account that somebody names to get back into it. An address names the account that has proven it, even if that
    /// one has set another address or removed it since.
    pub(in crate::accounts) async fn recoverable(
        &self,
        identifier: &Identifier,
        now: Timestamp,
    ) -> Result<Option<Recoverable>, StoreError> {
        let mut fields = Account::projection();
        fields.insert("last_reset_at", Bson::Int32(1));
        if let Identifier::Email(email) = identifier
            && let Some(found) = find_part(&self.docs, has_proven(email, now), fields.clone()).await?
        {
            return Ok(Some(found));
        }
        find_part(&self.docs, identifier.filter(), fields).await
    }
}
