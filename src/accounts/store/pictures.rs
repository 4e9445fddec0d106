//! The pictures of accounts. An uploaded picture belongs to one account only. Before it is uploaded, its key is put
//! into the trash. The transaction that makes it the picture of the account takes the key out, and the transaction that
//! replaces it puts the key in again. A worker removes what is in the trash, so no picture stays without an account.

use bson::{Document, doc};
use futures_util::FutureExt;
use mongodb::{ClientSession, Collection};
use serde::Deserialize;

use super::{Account, Display, Profile, Users, alive};
use crate::{
    accounts::rules::password::PasswordHash,
    db::{StoreError, transaction::transact},
    values::{
        ids::{SessionRef, UserId},
        role::Role,
        time::Timestamp,
    },
};

/// The part of an account that is read before its picture is removed.
#[derive(Deserialize)]
struct Pictured {
    #[serde(default)]
    profile: Profile,
}

impl Pictured {
    fn projection() -> Document {
        doc! { "profile.display": 1 }
    }
}

impl Users {
    /// Replaces or removes the picture of an account, and returns the account after the change. Returns `None` when the
    /// session is not alive. Fails with [`StoreError::Contended`] when the upload took so long that the new picture is
    /// being removed, or is gone.
    pub(in crate::accounts) async fn set_display(
        &self,
        caller: SessionRef,
        display: Option<&Display>,
        now: Timestamp,
    ) -> Result<Option<Account>, StoreError> {
        let mut update = vec![doc! { "$set": { "updated_at": now } }];
        update.push(match display {
            Some(display) => {
                let display = bson::serialize_to_bson(display).map_err(mongodb::error::Error::from)?;
                doc! { "$set": { "profile.display": { "$literal": display } } }
            }
            None => doc! { "$unset": "profile.display" },
        });
        let new = display.and_then(|display| display.image_key.clone());
        let filter = alive(caller);
        let changed =
            transact(&self.client, (self, &filter, &update, &new), move |tx, &(users, filter, update, new)| {
                async move {
                    if let Some(key) = &new
                        && !users.trash.claim_in(tx, key).await?
                    {
                        return Ok(Err(StoreError::Contended));
                    }
                    if !users.let_picture_go_in(tx, filter.clone(), now).await? {
                        users.trash.discard_in(tx, new.as_slice(), now).await?;
                        return Ok(Ok(None));
                    }
                    users.change_in(tx, filter.clone(), update.clone()).await.map(Ok)
                }
                .boxed()
            });
        changed.await?
    }

    /// Puts the uploaded picture of an account into the trash, before the account gets another one or none. Returns
    /// `false` when `filter` matches no account.
    pub(in crate::accounts) async fn let_picture_go_in(
        &self,
        tx: &mut ClientSession,
        filter: Document,
        now: Timestamp,
    ) -> mongodb::error::Result<bool> {
        let pictured = self.docs.clone_with_type::<Pictured>();
        let before = pictured.find_one(filter).projection(Pictured::projection()).session(&mut *tx).await?;
        let Some(before) = before else { return Ok(false) };
        self.trash.discard_in(tx, before.profile.owned_image().as_slice(), now).await?;
        Ok(true)
    }

    /// Deletes an account whose password was checked, with its picture, its links and codes, and its name in the
    /// audits.
    ///
    /// Returns `false` when the account was disabled or its password hash has changed in the meantime. Always returns
    /// `false` for an admin: another admin must take the role away first (`Users::administer`), which makes sure that
    /// one is left.
    pub(in crate::accounts) async fn delete(
        &self,
        user: UserId,
        checked: &PasswordHash,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let docs: Collection<Pictured> = self.docs.clone_with_type();
        let filter =
            doc! { "_id": user, "is_active": true, "password_hash": checked, "role": { "$ne": Role::Admin.as_str() } };
        transact(
            &self.client,
            (&docs, &filter, &self.trash, &self.audits, &self.account_keys),
            move |tx, &(docs, filter, trash, audits, account_keys)| {
                async move {
                    let deleted =
                        docs.find_one_and_delete(filter.clone()).projection(Pictured::projection()).session(&mut *tx);
                    let Some(account) = deleted.await? else { return Ok(false) };
                    trash.discard_in(tx, account.profile.owned_image().as_slice(), now).await?;
                    account_keys.void_in(tx, user).await?;
                    audits.forget_name_in(tx, user).await?;
                    Ok(true)
                }
                .boxed()
            },
        )
        .await
    }
}
