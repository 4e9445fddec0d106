//! What admins change about accounts. Each change and its audit entry are written in one transaction.

use bson::{Document, doc};
use futures_util::FutureExt;
use mongodb::{ClientSession, error::Result, options::ReturnDocument};
use serde::Deserialize;

use super::{Account, UserRecord, Users};
use crate::{
    audits::{diff::Diff, operation::AuditOperation, store::Trail, subject::AuditSubject},
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
struct SessionExpiries {
    sessions: Vec<SessionExpiry>,
}

#[derive(Deserialize)]
struct SessionExpiry {
    expires_at: Timestamp,
}

impl SessionExpiries {
    fn projection() -> Document {
        doc! { "sessions.expires_at": 1 }
    }

    fn count_unexpired(&self, now: Timestamp) -> usize {
        self.sessions.iter().filter(|session| session.expires_at > now).count()
    }
}

/// The fields of an account that admins can change.
#[derive(Clone, Copy, PartialEq, Eq)]
struct AdminFields {
    role: Role,
    is_active: bool,
}

impl AdminFields {
    fn of(account: &Account) -> Self {
        Self { role: account.role, is_active: account.is_active }
    }

    fn changed_by(self, change: UserChange) -> Self {
        Self { role: change.role.unwrap_or(self.role), is_active: change.is_active.unwrap_or(self.is_active) }
    }

    fn is_active_admin(self) -> bool {
        self.role == Role::Admin && self.is_active
    }

    /// Returns the fields under the names that the API uses.
    fn to_document(self) -> Document {
        doc! { "role": self.role.as_str(), "is_active": self.is_active }
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
                let no_sessions = doc! { "$set": { "sessions": [] } };
                let docs = users.docs.clone_with_type::<SessionExpiries>();
                let update = docs.find_one_and_update(doc! { "_id": user }, no_sessions);
                let before = update.projection(SessionExpiries::projection()).session(&mut *tx).await?;
                let Some(before) = before else { return Ok(false) };
                let count = i64::try_from(before.count_unexpired(trail.now)).unwrap_or(i64::MAX);
                let changes =
                    Diff::between(&doc! { "sessions": count }, &doc! { "sessions": 0_i64 }).into_description();
                let entry = trail.entry(AuditSubject::Users, AuditOperation::Logout, user).with_changes(changes);
                users.audits.append_in(tx, entry).await.map(|()| true)
            }
            .boxed()
        })
        .await
    }

    /// Deletes the counts of failed sign-ins whose keys begin with one of `failure_keys`. Returns `false` when there is
    /// no such account. `was_locked` is written to the audits.
    pub(in crate::accounts) async fn unlock(
        &self,
        user: UserId,
        failure_keys: &[String],
        was_locked: bool,
        trail: &Trail,
    ) -> std::result::Result<bool, StoreError> {
        transact(&self.client, (self, failure_keys, trail), move |tx, &(users, failure_keys, trail)| {
            async move {
                if !users.exists_in(tx, doc! { "_id": user }).await? {
                    return Ok(false);
                }
                for key in failure_keys {
                    users.limits.clear_in(tx, key).await?;
                }
                let changes =
                    Diff::between(&doc! { "locked": was_locked }, &doc! { "locked": false }).into_description();
                let entry = trail.entry(AuditSubject::Users, AuditOperation::Unlock, user).with_changes(changes);
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
            && !self.has_active_admin_in(tx, doc! { "_id": author.user_id }).await?
        {
            return Ok(UserChangeOutcome::NotByAdmin);
        }
        let Some(before) = self.record_in(tx, user).await? else { return Ok(UserChangeOutcome::Missing) };
        let old = AdminFields::of(&before.account);
        let new = old.changed_by(change);
        let is_one_admin_less = old.is_active_admin() && !new.is_active_admin();
        if is_one_admin_less && !self.has_active_admin_in(tx, doc! { "_id": { "$ne": user } }).await? {
            return Ok(UserChangeOutcome::LastAdmin);
        }
        let diff = Diff::between(&old.to_document(), &new.to_document());
        let after = match diff.is_empty() {
            true => before,
            false => self.write_in(tx, user, &diff, new.is_active, trail.now).await?,
        };
        let entry = trail
            .entry(AuditSubject::Users, AuditOperation::Update, user)
            .with_document(new.to_document())
            .with_changes(diff.into_description());
        self.audits.append_in(tx, entry).await?;
        Ok(UserChangeOutcome::Done(Box::new(after)))
    }

    /// Writes the changed fields, and returns the account after the change.
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
        let update = records.find_one_and_update(doc! { "_id": user }, stages);
        let written = update.projection(UserRecord::projection()).return_document(ReturnDocument::After);
        let missing = || mongodb::error::Error::custom("an account left the transaction that read it");
        written.session(tx).await?.ok_or_else(missing)
    }

    /// Returns whether one of the accounts that match `filter` is an active admin's.
    async fn has_active_admin_in(&self, tx: &mut ClientSession, mut filter: Document) -> Result<bool> {
        filter.extend(doc! { "role": Role::Admin.as_str(), "is_active": true });
        self.exists_in(tx, filter).await
    }

    async fn exists_in(&self, tx: &mut ClientSession, filter: Document) -> Result<bool> {
        let ids = self.docs.clone_with_type::<Document>();
        Ok(ids.find_one(filter).projection(doc! { "_id": 1 }).session(tx).await?.is_some())
    }

    async fn record_in(&self, tx: &mut ClientSession, user: UserId) -> Result<Option<UserRecord>> {
        self.user_records().find_one(doc! { "_id": user }).projection(UserRecord::projection()).session(tx).await
    }
}
