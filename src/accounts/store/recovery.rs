//! Finding the account of somebody who is not signed in, or of a queued mail.

use bson::{Bson, doc};
use serde::Deserialize;

use super::{Account, Identifier, Users, contacts::proven_email_filter};
use crate::{
    db::{StoreError, query::find_part},
    values::{ids::UserId, time::Timestamp},
};

/// An account whose owner wants to get back in.
#[derive(Debug, Deserialize)]
pub struct Recoverable {
    /// The account.
    #[serde(flatten)]
    pub account: Account,
    /// The time of the last reset of its password, by a link or by a code.
    pub last_reset_at: Option<Timestamp>,
}

impl Users {
    /// Returns an account; `None` if there is none with this id, or if it is disabled.
    pub(in crate::accounts) async fn active_account(&self, user: UserId) -> Result<Option<Account>, StoreError> {
        find_part(&self.docs, doc! { "_id": user, "is_active": true }, Account::projection()).await
    }

    /// Returns the account with an identifier. For an address, an account that has proven it comes first, even if that
    /// account has set another address or removed this one since.
    pub(in crate::accounts) async fn recoverable(
        &self,
        identifier: &Identifier,
        now: Timestamp,
    ) -> Result<Option<Recoverable>, StoreError> {
        let mut fields = Account::projection();
        fields.insert("last_reset_at", Bson::Int32(1));
        if let Identifier::Email(email) = identifier
            && let Some(found) = find_part(&self.docs, proven_email_filter(email, now), fields.clone()).await?
        {
            return Ok(Some(found));
        }
        find_part(&self.docs, identifier.filter(), fields).await
    }
}
