//! The pictures of accounts. An uploaded one belongs to its account alone: it is claimed by the transaction that shows it,
//! and thrown away by the one that ends its being shown.

use bson::{Document, doc};
use futures_util::FutureExt;
use mongodb::{Collection, options::ReturnDocument};
use serde::Deserialize;

use super::{Account, Display, Profile, Users, alive};
use crate::{
    domain::{
        ids::{SessionRef, UserId},
        image_key::ImageKey,
        password::PasswordHash,
        role::Role,
        time::Timestamp,
    },
    store::{StoreError, transaction::transact},
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
    pub async fn set_display(
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
        self.change_picture(alive(caller), update, new, false, now).await
    }

    /// Makes an update after which an account shows another picture, `new` if that was uploaded for it; with `voids` no link
    /// or code of before is good any more.
    pub(super) async fn change_picture(
        &self,
        filter: Document,
        update: Vec<Document>,
        new: Option<ImageKey>,
        voids: bool,
        now: Timestamp,
    ) -> Result<Option<Account>, StoreError> {
        let (docs, pictured) = (self.docs.clone_with_type::<Account>(), self.docs.clone_with_type::<Pictured>());
        let (trash, openings) = (self.trash.clone(), self.openings.clone());
        let changed = transact(&self.client, move |tx| {
            let (docs, pictured, trash, openings) = (docs.clone(), pictured.clone(), trash.clone(), openings.clone());
            let (filter, update, new) = (filter.clone(), update.clone(), new.clone());
            async move {
                if let Some(key) = &new
                    && !trash.claim_in(tx, key).await?
                {
                    return Ok(Err(StoreError::Contended));
                }
                let before = pictured.find_one(filter.clone()).projection(Pictured::projection());
                let Some(before) = before.session(&mut *tx).await? else {
                    trash.discard_in(tx, new.as_slice(), now).await?;
                    return Ok(Ok(None));
                };
                trash.discard_in(tx, before.profile.owned_image().as_slice(), now).await?;
                let changed = docs.find_one_and_update(filter, update).projection(Account::projection());
                let changed = changed.return_document(ReturnDocument::After).session(&mut *tx).await?;
                if let Some(account) = changed.as_ref().filter(|_| voids) {
                    openings.void_in(tx, account.id).await?;
                }
                Ok(Ok(changed))
            }
            .boxed()
        });
        changed.await?
    }

    /// Removes an account whose password was checked, with its picture, its links and codes and its name in the audits; false
    /// when it has changed meanwhile, and always for an admin's, since those who run the accounts are only ever demoted
    /// (`Users::administer`).
    pub async fn delete(&self, user: UserId, checked: &PasswordHash, now: Timestamp) -> Result<bool, StoreError> {
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
