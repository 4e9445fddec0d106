//! The sessions inside an account: signing in (update U6 in `docs/architecture.md`), refreshing (U1) and ending.

use std::time::Duration;

use bson::{Document, doc};
use mongodb::options::ReturnDocument;
use serde::Deserialize;

use super::{Account, MAX_SESSIONS, SessionDoc, Users, alive};
use crate::{
    accounts::{rules::password::PasswordHash, tokens::refresh::RefreshClaim},
    db::{StoreError, query::find_part},
    values::{
        ids::{SessionId, SessionRef, UserId},
        time::Timestamp,
    },
};

/// The times that decide what a refresh does.
#[derive(Debug, Clone, Copy)]
pub struct RotationTimes {
    /// The current time.
    pub now: Timestamp,
    /// The grace window: the time after a rotation in which the previous token still gets the new one.
    pub grace: Duration,
    /// The lifetime of a session without a refresh.
    pub refresh: Duration,
    /// The lifetime of a session, however often it is refreshed.
    pub session: Duration,
}

/// A change of a session by a refresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionChange {
    /// Increases the counter, which makes a new token.
    Next {
        /// The counter of the token that the caller sent. It replaces the stored predecessor.
        predecessor: u32,
    },
    /// Notes that the current token has come back.
    Presented,
    /// Notes that a session that does not rotate is in use.
    Used,
}

/// A session and its account, as a refresh reads them.
#[derive(Debug)]
pub struct Refreshable {
    /// The account.
    pub account: Account,
    /// The session.
    pub session: SessionDoc,
}

impl Users {
    /// Adds a session. Removes expired sessions and, if there are 10 others, the one that was not used for longest.
    ///
    /// Returns `false`, and adds nothing, unless the account is active and still has the password hash `checked`.
    /// Otherwise a sign-in with the old password could succeed although a reset was committed while the password was
    /// compared.
    pub(in crate::accounts) async fn push_session(
        &self,
        user: UserId,
        checked: &PasswordHash,
        session: &SessionDoc,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let new = bson::serialize_to_bson(session).map_err(mongodb::error::Error::from)?;
        let unexpired =
            doc! { "$filter": { "input": "$sessions", "as": "s", "cond": { "$gt": ["$$s.expires_at", now] } } };
        let by_last_use = doc! { "$sortArray": { "input": unexpired, "sortBy": { "last_used_at": 1 } } };
        let kept = doc! { "$slice": [by_last_use, 1 - MAX_SESSIONS] };
        let sessions = doc! { "$concatArrays": [kept, [{ "$literal": new }]] };
        let update = vec![doc! { "$set": { "sessions": sessions, "last_sign_in_at": now } }];
        let filter = doc! { "_id": user, "is_active": true, "password_hash": checked };
        Ok(self.docs.update_one(filter, update).await?.matched_count == 1)
    }

    /// Rotates a session if its counter is that of the claim, it has not expired, and it was not rotated within the
    /// grace window. Returns `None` when it was not rotated.
    pub(in crate::accounts) async fn rotate(
        &self,
        claim: RefreshClaim,
        times: RotationTimes,
    ) -> Result<Option<Refreshable>, StoreError> {
        let now = times.now;
        let state = doc! {
            "_id": claim.session.session,
            "counter": i64::from(claim.counter),
            "expires_at": { "$gt": now },
            "created_at": { "$gt": now.before(times.session) },
            "rotated_at": { "$not": { "$gt": now.before(times.grace) } },
        };
        let next = SessionChange::Next { predecessor: claim.counter };
        self.update_session(claim.session, state, next, times).await
    }

    /// Changes a session if it is still in the state that was read (`seen`). Returns `None` when it is not.
    pub(in crate::accounts) async fn change_session(
        &self,
        seen: &Refreshable,
        change: SessionChange,
        times: RotationTimes,
    ) -> Result<Option<Refreshable>, StoreError> {
        let (account, session) = (&seen.account, &seen.session);
        let state = doc! {
            "_id": session.id,
            "counter": i64::from(session.counter),
            "predecessor": session.predecessor.map(i64::from),
            "rotated_at": session.rotated_at,
            "presented": if session.presented { doc! { "$eq": true } } else { doc! { "$ne": true } },
        };
        self.update_session(SessionRef { user: account.id, session: session.id }, state, change, times).await
    }

    /// Changes a session that is in the given state. Returns `None` when it is in another one.
    async fn update_session(
        &self,
        session: SessionRef,
        state: Document,
        change: SessionChange,
        times: RotationTimes,
    ) -> Result<Option<Refreshable>, StoreError> {
        let now = times.now;
        let update = match change {
            SessionChange::Next { predecessor } => doc! {
                "$inc": { "sessions.$.counter": 1_i64 },
                "$set": {
                    "sessions.$.predecessor": i64::from(predecessor),
                    "sessions.$.presented": false,
                    "sessions.$.rotated_at": now,
                    "sessions.$.last_used_at": now,
                    "sessions.$.expires_at": now.after(times.refresh),
                },
            },
            SessionChange::Presented => doc! { "$set": { "sessions.$.presented": true } },
            SessionChange::Used => doc! { "$set": { "sessions.$.last_used_at": now } },
        };
        let filter = doc! { "_id": session.user, "is_active": true, "sessions": { "$elemMatch": state } };
        let docs = self.docs.clone_with_type::<AccountWithSession>();
        let fields = AccountWithSession::projection(session.session);
        let changed = docs.find_one_and_update(filter, update).projection(fields);
        Ok(changed.return_document(ReturnDocument::After).await?.and_then(AccountWithSession::refreshable))
    }

    /// Returns a session and its account; `None` when the session was ended or the account is disabled.
    pub(in crate::accounts) async fn refreshable(
        &self,
        session: SessionRef,
    ) -> Result<Option<Refreshable>, StoreError> {
        let fields = AccountWithSession::projection(session.session);
        let found: Option<AccountWithSession> = find_part(&self.docs, alive(session), fields).await?;
        Ok(found.and_then(AccountWithSession::refreshable))
    }

    /// Returns the time of the sign-in of a session; `None` when the session was ended or the account is disabled.
    pub(in crate::accounts) async fn signed_in_at(&self, session: SessionRef) -> Result<Option<Timestamp>, StoreError> {
        let fields = doc! { "sessions": only_session(session.session) };
        let found: Option<OnlySessions> = find_part(&self.docs, alive(session), fields).await?;
        Ok(found.and_then(|user| user.sessions.into_iter().next()).map(|session| session.signed_in_at))
    }

    /// Ends a session because an old token (`claim`) was used. The session must have a newer token, so that its current
    /// token can never end it. Returns `false` when it was ended already.
    pub(in crate::accounts) async fn end_stolen(&self, claim: RefreshClaim) -> Result<bool, StoreError> {
        let newer = doc! { "_id": claim.session.session, "counter": { "$gt": i64::from(claim.counter) } };
        self.pull_session(doc! { "_id": claim.session.user, "sessions": { "$elemMatch": newer } }, claim.session).await
    }

    /// Ends a session. Returns `false` when it was ended already.
    pub(in crate::accounts) async fn end_session(&self, session: SessionRef) -> Result<bool, StoreError> {
        self.pull_session(doc! { "_id": session.user, "sessions._id": session.session }, session).await
    }

    /// Returns the sessions of an account that have not expired, in the stored order: the newest sign-in is last. The
    /// list is empty when the session of the caller is not alive.
    pub(in crate::accounts) async fn sessions(
        &self,
        caller: SessionRef,
        now: Timestamp,
    ) -> Result<Vec<SessionDoc>, StoreError> {
        let found: Option<OnlySessions> = find_part(&self.docs, alive(caller), doc! { "sessions": 1 }).await?;
        let sessions = found.map(|user| user.sessions).unwrap_or_default();
        Ok(sessions.into_iter().filter(|session| session.expires_at > now).collect())
    }

    /// Ends all sessions of an account. Does nothing if there is no such account.
    pub(in crate::accounts) async fn end_all_sessions(&self, user: UserId) -> Result<(), StoreError> {
        self.docs.update_one(doc! { "_id": user }, doc! { "$set": { "sessions": [] } }).await?;
        Ok(())
    }

    /// Sets a new password. All other sessions end, and the open links, codes and resets become void. Returns `false`
    /// when the session of the caller is not alive, or when the stored hash is not `checked` any more.
    pub(in crate::accounts) async fn change_password(
        &self,
        caller: SessionRef,
        checked: &PasswordHash,
        new: &PasswordHash,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut filter = alive(caller);
        filter.insert("password_hash", checked);
        let update = doc! {
            "$set": { "password_hash": new, "updated_at": now },
            "$pull": { "sessions": { "_id": { "$ne": caller.session } } },
            "$unset": { "reset": "" },
        };
        Ok(self.update_and_void(filter, update).await?.is_some())
    }

    async fn pull_session(&self, filter: Document, session: SessionRef) -> Result<bool, StoreError> {
        let pull = doc! { "$pull": { "sessions": { "_id": session.session } } };
        Ok(self.docs.update_one(filter, pull).await?.modified_count == 1)
    }
}

#[derive(Deserialize)]
struct OnlySessions {
    sessions: Vec<SessionDoc>,
}

/// An account and one of its sessions.
#[derive(Deserialize)]
struct AccountWithSession {
    #[serde(flatten)]
    account: Account,
    sessions: Vec<SessionDoc>,
}

impl AccountWithSession {
    fn projection(session: SessionId) -> Document {
        let mut fields = Account::projection();
        fields.insert("sessions", only_session(session));
        fields
    }

    fn refreshable(self) -> Option<Refreshable> {
        let session = self.sessions.into_iter().next()?;
        Some(Refreshable { account: self.account, session })
    }
}

/// Returns the projection that leaves only one session in the list.
fn only_session(session: SessionId) -> Document {
    doc! { "$elemMatch": { "_id": session } }
}
