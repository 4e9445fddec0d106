//! The pictures of accounts. An uploaded one belongs to its account alone: it is claimed by the transaction that shows it,
//! and thrown away by the one that ends its being shown.

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

/// What is read of an account whose picture goes.
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
    /// Shows an account with another picture or without one, and returns it as it is then; `None` when the session is not
    /// alive. [`StoreError::Contended`] when the upload took so long that the picture has been removed meanwhile.
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
        let (users, filter) = (self.clone(), alive(caller));
        let changed = transact(&self.client, move |tx| {
            let (users, filter, update, new) = (users.clone(), filter.clone(), update.clone(), new.clone());
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
                users.change_in(tx, filter, update).await.map(Ok)
            }
            .boxed()
        });
        changed.await?
    }

    /// Throws away the picture that an account shows, before it shows another one or none; false when `filter` finds no
    /// account.
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

    /// Removes an account whose password was checked, with its picture, its links and codes and its name in the audits; false
    /// when it has changed meanwhile, and always for an admin's, since those who run the accounts are only ever demoted
    /// (`Users::administer`).
    pub(in crate::accounts) async fn delete(
        &self,
        user: UserId,
        checked: &PasswordHash,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let docs: Collection<Pictured> = self.docs.clone_with_type();
        let (trash, audits, openings) = (self.trash.clone(), self.audits.clone(), self.openings.clone());
        let filter =
            doc! { "_id": user, "is_active": true, "password_hash": checked, "role": { "$ne": Role::Admin.as_str() } };
        transact(&self.client, move |tx| {
            let (docs, filter) = (docs.clone(), filter.clone());
            let (trash, audits, openings) = (trash.clone(), audits.clone(), openings.clone());
            async move {
                let deleted = docs.find_one_and_delete(filter).projection(Pictured::projection()).session(&mut *tx);
                let Some(account) = deleted.await? else { return Ok(false) };
                trash.discard_in(tx, account.profile.owned_image().as_slice(), now).await?;
                openings.void_in(tx, user).await?;
                audits.forget_name_in(tx, user).await?;
                Ok(true)
            }
            .boxed()
        })
        .await
    }
}
