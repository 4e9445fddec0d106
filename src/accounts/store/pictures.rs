//! The pictures of accounts. Before a picture is uploaded, its key is put into the trash. The transaction that makes it
//! the picture of the account takes the key out, and the transaction that replaces it puts the key in again. A worker
//! removes what is in the trash and shown by nothing, so no picture stays for ever without an account.

use bson::{Document, doc};
use futures_util::FutureExt;
use mongodb::ClientSession;
use serde::Deserialize;

use super::{Account, ChangeOutcome, Display, Profile, Users, alive};
use crate::{
    accounts::rules::password::PasswordHash,
    db::{StoreError, transaction::transact},
    images::{
        key::{ImageKey, MEDIA},
        store::ShownFile,
    },
    values::{
        ids::{SessionRef, UserId},
        role::Role,
        time::Timestamp,
    },
};

/// The part of an account that is read before its picture is removed.
#[derive(Deserialize)]
struct AccountPicture {
    #[serde(default)]
    profile: Profile,
}

impl AccountPicture {
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
        let set_or_unset = match display {
            Some(display) => {
                let stored = bson::serialize_to_bson(display).map_err(mongodb::error::Error::from)?;
                doc! { "$set": { "profile.display": { "$literal": stored } } }
            }
            None => doc! { "$unset": "profile.display" },
        };
        let update = vec![doc! { "$set": { "updated_at": now } }, set_or_unset];
        let new_key = display.and_then(|display| display.image_key.clone());
        let captures = (self, &update, &new_key);
        let outcome = transact(&self.client, captures, move |tx, &(users, update, new_key)| {
            async move { users.set_display_in(tx, caller, update, new_key.as_ref(), now).await }.boxed()
        });
        outcome.await?.into_result()
    }

    async fn set_display_in(
        &self,
        tx: &mut ClientSession,
        caller: SessionRef,
        update: &[Document],
        new_key: Option<&ImageKey>,
        now: Timestamp,
    ) -> mongodb::error::Result<ChangeOutcome> {
        if !self.discard_picture_in(tx, alive(caller), now).await? {
            return Ok(ChangeOutcome::done(None));
        }
        if let Some(key) = new_key
            && !self.trash.claim_in(tx, key).await?
        {
            return Ok(ChangeOutcome::PictureGone);
        }
        self.change_in(tx, alive(caller), update.to_vec()).await.map(ChangeOutcome::done)
    }

    /// Puts the picture of an account into the trash, before the account gets another one or none. Returns
    /// `false` when `filter` matches no account.
    pub(in crate::accounts) async fn discard_picture_in(
        &self,
        tx: &mut ClientSession,
        filter: Document,
        now: Timestamp,
    ) -> mongodb::error::Result<bool> {
        let docs = self.docs.clone_with_type::<AccountPicture>();
        let before = docs.find_one(filter).projection(AccountPicture::projection()).session(&mut *tx).await?;
        let Some(before) = before else { return Ok(false) };
        self.trash.discard_in(tx, before.profile.shown_image().as_slice(), now).await?;
        Ok(true)
    }

    /// Claims the picture that a URL shows, and returns the stages of a pipeline that store its key after the URL.
    /// Returns `None` for a URL of this server whose picture is removed.
    pub(in crate::accounts) async fn claim_picture_in(
        &self,
        tx: &mut ClientSession,
        url: &str,
    ) -> mongodb::error::Result<Option<Vec<Document>>> {
        Ok(match self.trash.claim_shown_in(tx, [url]).await?.remove(url) {
            Some(ShownFile::Kept(key)) => {
                Some(vec![doc! { "$set": { "profile.display.image_key": { "$literal": key } } }])
            }
            Some(ShownFile::Gone) if url.starts_with(MEDIA) => None,
            _ => Some(Vec::new()),
        })
    }

    /// Deletes an account whose password was checked, with its picture, its links and codes, and its name in the
    /// audits, in the transaction of everything else that goes with an account.
    ///
    /// Returns `false` when the account was disabled or its password hash has changed in the meantime. Always returns
    /// `false` for an admin: another admin must take the role away first (`Users::administer`), which makes sure that
    /// one is left.
    pub(crate) async fn delete_in(
        &self,
        tx: &mut ClientSession,
        user: UserId,
        checked: &PasswordHash,
        now: Timestamp,
    ) -> mongodb::error::Result<bool> {
        let is_no_admin = doc! { "$ne": Role::Admin.as_str() };
        let filter = doc! { "_id": user, "is_active": true, "password_hash": checked, "role": is_no_admin };
        let docs = self.docs.clone_with_type::<AccountPicture>();
        let deletion = docs.find_one_and_delete(filter).projection(AccountPicture::projection());
        let Some(deleted) = deletion.session(&mut *tx).await? else { return Ok(false) };
        self.trash.discard_in(tx, deleted.profile.shown_image().as_slice(), now).await?;
        self.account_keys.void_in(tx, user).await?;
        self.audits.forget_name_in(tx, user).await?;
        Ok(true)
    }
}
