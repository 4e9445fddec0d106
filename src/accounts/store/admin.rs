//! What admins change about accounts. Each change and its audit entry are written in one transaction.

use bson::{Document, doc};
use futures_util::FutureExt;
use mongodb::{ClientSession, error::Result, options::ReturnDocument};
use serde::Deserialize;

use super::{UserRecord, Users};
use crate::{
    audits::{diff::Diff, store::Trail},
    db::{StoreError, locks::Lock, transaction::transact},
    values::{ids::UserId, role::Role, time::Timestamp},
};

/// A change of an account by an admin. Fields that are `None` stay as they are.
#[derive(Debug, Clone, Copy)]
pub struct UserChange {
    /// The role of the account.
    pub role: Option<Role>,
    /// Whether its owner may sign in.
    pub is_active: Option<bool>,
}

/// The result of a change.
#[derive(Debug)]
pub enum UserChangeOutcome {
    /// The account after the change.
    Done(Box<UserRecord>),
    /// There is no such account.
    Missing,
    /// The caller is not an active admin any more.
    NotByAdmin,
    /// The change would leave the shop without an active admin.
    LastAdmin,
}

/// The times at which the sessions of an account expire.
#[derive(Deserialize)]
struct SessionEnds {
    sessions: Vec<SessionEnd>,
}

#[derive(Deserialize)]
struct SessionEnd {
    expires_at: Timestamp,
}

impl SessionEnds {
    fn projection() -> Document {
        doc! { "sessions.expires_at": 1 }
    }

    fn living(&self, now: Timestamp) -> usize {
        self.sessions.iter().filter(|session| session.expires_at > now).count()
    }
}

impl Users {
    /// Changes the role of an account, or whether it is active. A disabled account loses its sessions, and its open
    /// links and codes become void.
    ///
    /// All such changes run one after the other. Otherwise two admins who demote each other at the same time would
    /// leave the shop without an admin.
    pub(in crate::accounts) async fn administer(
        &self,
        user: UserId,
        change: UserChange,
        trail: &Trail,
    ) -> std::result::Result<UserChangeOutcome, StoreError> {
        transact(&self.client, (self, trail), move |tx, &(users, trail)| {
            async move { users.administer_in(tx, user, change, trail).await }.boxed()
        })
        .await
    }

    /// Ends all sessions of an account. Returns `false` when there is no such account.
    pub(in crate::accounts) async fn sign_out(
        &self,
        user: UserId,
        trail: &Trail,
    ) -> std::result::Result<bool, StoreError> {
        transact(&self.client, (self, trail), move |tx, &(users, trail)| {
            async move {
                let ended = doc! { "$set": { "sessions": [] } };
                let docs = users.docs.clone_with_type::<SessionEnds>();
                let before = docs.find_one_and_update(doc! { "_id": user }, ended);
                let before = before.projection(SessionEnds::projection()).session(&mut *tx).await?;
                let Some(before) = before else { return Ok(false) };
                let count = i64::try_from(before.living(trail.now)).unwrap_or(i64::MAX);
                let changes =
                    Diff::between(&doc! { "sessions": count }, &doc! { "sessions": 0_i64 }).into_description();
                let entry = trail.entry("users", "logout", user).with_changes(changes);
                users.audits.append_in(tx, entry).await.map(|()| true)
            }
            .boxed()
        })
        .await
    }

    /// Deletes the counts of failed sign-ins whose keys begin with one of `counters`. Returns `false` when there is no
    /// such account. `was_locked` is written to the audits.
    pub(in crate::accounts) async fn unlock(
        &self,
        user: UserId,
        counters: &[String],
        was_locked: bool,
        trail: &Trail,
    ) -> std::result::Result<bool, StoreError> {
        transact(&self.client, (self, counters, trail), move |tx, &(users, counters, trail)| {
            async move {
                if !users.is_there_in(tx, doc! { "_id": user }).await? {
                    return Ok(false);
                }
                for counter in counters {
                    users.limits.clear_in(tx, counter).await?;
                }
                let changes =
                    Diff::between(&doc! { "locked": was_locked }, &doc! { "locked": false }).into_description();
                let entry = trail.entry("users", "unlock", user).with_changes(changes);
                users.audits.append_in(tx, entry).await.map(|()| true)
            }
            .boxed()
        })
        .await
    }

    async fn administer_in(
        &self,
        tx: &mut ClientSession,
        user: UserId,
        change: UserChange,
        trail: &Trail,
    ) -> Result<UserChangeOutcome> {
        self.locks.touch_in(tx, Lock::Admins).await?;
        // The API has checked the role of the caller, who may have been demoted since then.
        if let Some(author) = &trail.author
            && !self.is_admin_in(tx, doc! { "_id": author.user_id }).await?
        {
            return Ok(UserChangeOutcome::NotByAdmin);
        }
        let Some(before) = self.record_in(tx, user).await? else { return Ok(UserChangeOutcome::Missing) };
        let (was, was_active) = (before.account.role, before.account.is_active);
        let (role, is_active) = (change.role.unwrap_or(was), change.is_active.unwrap_or(was_active));
        let leaves = (was, was_active) == (Role::Admin, true) && (role, is_active) != (Role::Admin, true);
        if leaves && !self.is_admin_in(tx, doc! { "_id": { "$ne": user } }).await? {
            return Ok(UserChangeOutcome::LastAdmin);
        }
        let (then, now) = (administered(was, was_active), administered(role, is_active));
        let diff = Diff::between(&then, &now);
        let after = if diff.is_empty() { before } else { self.write_in(tx, user, &diff, is_active, trail.now).await? };
        let entry = trail.entry("users", "update", user).with_document(now).with_changes(diff.into_description());
        self.audits.append_in(tx, entry).await?;
        Ok(UserChangeOutcome::Done(Box::new(after)))
    }

    async fn write_in(
        &self,
        tx: &mut ClientSession,
        user: UserId,
        diff: &Diff,
        is_active: bool,
        now: Timestamp,
    ) -> Result<UserRecord> {
        let mut stages = vec![diff.update(), doc! { "$set": { "updated_at": now } }];
        if !is_active {
            // Old sessions, links and codes must not work again when the account is made active later.
            stages.extend([doc! { "$set": { "sessions": [] } }, doc! { "$unset": "reset" }]);
            self.account_keys.void_in(tx, user).await?;
        }
        let records = self.user_records();
        let written = records.find_one_and_update(doc! { "_id": user }, stages);
        let written = written.projection(UserRecord::projection()).return_document(ReturnDocument::After);
        let gone = || mongodb::error::Error::custom("an account left the transaction that read it");
        written.session(tx).await?.ok_or_else(gone)
    }

    /// Returns whether one of the accounts that match `among` is an active admin's.
    async fn is_admin_in(&self, tx: &mut ClientSession, mut among: Document) -> Result<bool> {
        among.extend(doc! { "role": Role::Admin.as_str(), "is_active": true });
        self.is_there_in(tx, among).await
    }

    async fn is_there_in(&self, tx: &mut ClientSession, account: Document) -> Result<bool> {
        let ids = self.docs.clone_with_type::<Document>();
        Ok(ids.find_one(account).projection(doc! { "_id": 1 }).session(tx).await?.is_some())
    }

    async fn record_in(&self, tx: &mut ClientSession, user: UserId) -> Result<Option<UserRecord>> {
        self.user_records().find_one(doc! { "_id": user }).projection(UserRecord::projection()).session(tx).await
    }
}

/// Returns the fields that admins can change, under the names that the API uses.
fn administered(role: Role, is_active: bool) -> Document {
    doc! { "role": role.as_str(), "is_active": is_active }
}
