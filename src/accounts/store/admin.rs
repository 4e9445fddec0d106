//! What admins change about accounts: each change is one transaction with the entry of the audits that tells of it.

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

/// What an admin changes about an account; `None` stays as it is.
#[derive(Debug, Clone, Copy)]
pub struct UserChange {
    /// What the account may do.
    pub role: Option<Role>,
    /// Whether its owner may sign in.
    pub is_active: Option<bool>,
}

/// What became of a change.
#[derive(Debug)]
pub enum UserChanged {
    /// The account is like this now.
    Done(Box<UserRecord>),
    /// There is no such account.
    Missing,
    /// Who wanted the change has been made something else than an admin meanwhile.
    NotByAdmin,
    /// Nobody would be left to run the accounts.
    LastAdmin,
}

/// Until when the sessions of an account live.
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
    /// Changes what an account may do. One that is disabled loses its sessions. All such changes wait for each other, so
    /// that admins who demote each other at once don't leave the shop without any.
    pub(in crate::accounts) async fn administer(
        &self,
        user: UserId,
        change: UserChange,
        trail: &Trail,
    ) -> std::result::Result<UserChanged, StoreError> {
        let (users, trail) = (self.clone(), trail.clone());
        transact(&self.client, move |tx| {
            let (users, trail) = (users.clone(), trail.clone());
            async move { users.administer_in(tx, user, change, &trail).await }.boxed()
        })
        .await
    }

    /// Ends all sessions of an account; false when there is no such account.
    pub(in crate::accounts) async fn sign_out(
        &self,
        user: UserId,
        trail: &Trail,
    ) -> std::result::Result<bool, StoreError> {
        let (users, trail) = (self.clone(), trail.clone());
        transact(&self.client, move |tx| {
            let (users, trail) = (users.clone(), trail.clone());
            async move {
                let ended = doc! { "$set": { "sessions": [] } };
                let docs = users.docs.clone_with_type::<SessionEnds>();
                let before = docs.find_one_and_update(doc! { "_id": user }, ended);
                let before = before.projection(SessionEnds::projection()).session(&mut *tx).await?;
                let Some(before) = before else { return Ok(false) };
                let count = i64::try_from(before.living(trail.now)).unwrap_or(i64::MAX);
                let changes = Diff::between(&doc! { "sessions": count }, &doc! { "sessions": 0_i64 }).described();
                let entry = trail.entry("users", "logout", user).describing(changes);
                users.audits.append_in(tx, entry).await.map(|()| true)
            }
            .boxed()
        })
        .await
    }

    /// Forgets the failed sign-ins under keys that begin with one of `counters`; false when there is no such account.
    pub(in crate::accounts) async fn unlock(
        &self,
        user: UserId,
        counters: &[String],
        was_locked: bool,
        trail: &Trail,
    ) -> std::result::Result<bool, StoreError> {
        let (users, counters, trail) = (self.clone(), counters.to_vec(), trail.clone());
        transact(&self.client, move |tx| {
            let (users, counters, trail) = (users.clone(), counters.clone(), trail.clone());
            async move {
                if !users.is_there_in(tx, doc! { "_id": user }).await? {
                    return Ok(false);
                }
                for counter in &counters {
                    users.limits.clear_in(tx, counter).await?;
                }
                let changes = Diff::between(&doc! { "locked": was_locked }, &doc! { "locked": false }).described();
                let entry = trail.entry("users", "unlock", user).describing(changes);
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
    ) -> Result<UserChanged> {
        self.locks.touch_in(tx, Lock::Admins).await?;
        // The door was passed a moment ago; whoever was demoted since then changes nobody's role any more.
        if let Some(author) = &trail.author
            && !self.is_admin_in(tx, doc! { "_id": author.user_id }).await?
        {
            return Ok(UserChanged::NotByAdmin);
        }
        let Some(before) = self.record_in(tx, user).await? else { return Ok(UserChanged::Missing) };
        let (was, was_active) = (before.account.role, before.account.is_active);
        let (role, is_active) = (change.role.unwrap_or(was), change.is_active.unwrap_or(was_active));
        let leaves = (was, was_active) == (Role::Admin, true) && (role, is_active) != (Role::Admin, true);
        if leaves && !self.is_admin_in(tx, doc! { "_id": { "$ne": user } }).await? {
            return Ok(UserChanged::LastAdmin);
        }
        let (then, now) = (administered(was, was_active), administered(role, is_active));
        let diff = Diff::between(&then, &now);
        let after = if diff.is_empty() { before } else { self.write_in(tx, user, &diff, is_active, trail.now).await? };
        let entry = trail.entry("users", "update", user).holding(now).describing(diff.described());
        self.audits.append_in(tx, entry).await?;
        Ok(UserChanged::Done(Box::new(after)))
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
            // What was open stays closed when the account is made active again.
            stages.extend([doc! { "$set": { "sessions": [] } }, doc! { "$unset": "reset" }]);
            self.openings.void_in(tx, user).await?;
        }
        let records = self.user_records();
        let written = records.find_one_and_update(doc! { "_id": user }, stages);
        let written = written.projection(UserRecord::projection()).return_document(ReturnDocument::After);
        let gone = || mongodb::error::Error::custom("an account left the transaction that read it");
        written.session(tx).await?.ok_or_else(gone)
    }

    /// Whether one of the accounts is an admin's who may sign in.
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

/// What of an account admins change, as the API names it.
fn administered(role: Role, is_active: bool) -> Document {
    doc! { "role": role.as_str(), "is_active": is_active }
}
