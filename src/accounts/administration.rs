//! What staff and admins see of accounts, and what admins change about them.

use super::{
    rules::username::UsernameKey,
    sign_in,
    store::{UserChange, UserChangeOutcome, UserPlace, UserQuery, UserRecord, UserText},
};
use crate::{
    app::App,
    db::StoreError,
    values::{
        author::Author,
        ids::UserId,
        invalid::InvalidField,
        paging::{Page, Slice, Total},
        phone::E164,
        role::Role,
        time::Timestamp,
    },
};

/// An account together with its state at one moment.
#[derive(Debug)]
pub struct UserState {
    /// The account.
    pub record: UserRecord,
    /// The number of browsers and apps that are signed in.
    pub sessions: usize,
    /// Whether too many failed sign-ins block further ones, from at least one IP address.
    pub is_locked: bool,
    /// The time at which this state was read.
    pub now: Timestamp,
    /// Whether its owner could not get back in after forgetting the password. This is so for staff and admins who have
    /// proven neither a number nor an address, because only a proven contact may reset such an account.
    pub is_unrecoverable: bool,
}

/// The reason why an account is not shown or changed.
#[derive(Debug, thiserror::Error)]
pub enum UsersError {
    /// A field breaks a rule.
    #[error(transparent)]
    Invalid(#[from] InvalidField),
    /// The request names no field that can be changed.
    #[error("no fields provided for update")]
    NothingGiven,
    /// No account has this id.
    #[error("user not found")]
    NotFound,
    /// The caller is not an active admin any more.
    #[error("admins only")]
    NotByAdmin,
    /// The change would leave the shop without an active admin.
    #[error("the shop needs an active admin: make another account an admin first")]
    LastAdmin,
    /// The database call failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Returns a page of the accounts that `wanted` matches, and the number of all matches.
pub async fn list(
    app: &App,
    wanted: &UserQuery,
    slice: Slice<UserPlace>,
) -> Result<(Page<UserRecord>, Total), UsersError> {
    let limit = slice.probe();
    let records = app.store.users.records(wanted, slice.after, limit).await?;
    let total = app.store.users.count(wanted).await?;
    Ok((Page::of(records, slice.limit), total))
}

/// Returns what a text means when `reader` searches for it.
///
/// Everybody finds usernames by a part of them. Only admins find phone numbers and e-mail addresses by a part. Staff
/// see them masked, and could otherwise guess them piece by piece.
pub fn search_text(app: &App, reader: Role, text: String) -> UserText {
    let number = E164::parse(&text, app.config.default_region).ok();
    UserText { text, number, by_parts: reader == Role::Admin }
}

/// Returns the id of the account with a username, in any case; `None` if there is none.
pub async fn account_named(app: &App, username: &str) -> Result<Option<UserId>, StoreError> {
    match UsernameKey::of(username) {
        Some(key) => app.store.users.named(&key).await,
        None => Ok(None),
    }
}

/// Returns one account and its state.
pub async fn read(app: &App, user: UserId) -> Result<UserState, UsersError> {
    let record = app.store.users.record(user).await?.ok_or(UsersError::NotFound)?;
    user_state(app, record).await
}

/// Changes the role of an account, or whether it is active. The change takes effect at the next request of its owner.
/// Disabling an account ends all its sessions, and voids the links and codes that were sent to its owner.
pub async fn change(app: &App, author: &Author, user: UserId, fields: UserChange) -> Result<UserState, UsersError> {
    if fields.role.is_none() && fields.is_active.is_none() {
        return Err(UsersError::NothingGiven);
    }
    match app.store.users.administer(user, fields, &app.trail(Some(author))).await? {
        UserChangeOutcome::Done(record) => user_state(app, *record).await,
        UserChangeOutcome::Missing => Err(UsersError::NotFound),
        UserChangeOutcome::NotByAdmin => Err(UsersError::NotByAdmin),
        UserChangeOutcome::LastAdmin => Err(UsersError::LastAdmin),
    }
}

/// Ends all sessions of an account. Their access tokens stop working at once.
pub async fn sign_out(app: &App, author: &Author, user: UserId) -> Result<(), UsersError> {
    let exists = app.store.users.sign_out(user, &app.trail(Some(author))).await?;
    if exists { Ok(()) } else { Err(UsersError::NotFound) }
}

/// Resets the counters of failed sign-ins to an account, so that its owner can try again at once.
pub async fn unlock(app: &App, author: &Author, user: UserId) -> Result<(), UsersError> {
    let was_locked = sign_in::is_locked(app, user).await?;
    let failure_keys = sign_in::failure_keys(app, user);
    let exists = app.store.users.unlock(user, &failure_keys, was_locked, &app.trail(Some(author))).await?;
    if exists { Ok(()) } else { Err(UsersError::NotFound) }
}

async fn user_state(app: &App, record: UserRecord) -> Result<UserState, UsersError> {
    let is_locked = sign_in::is_locked(app, record.account.id).await?;
    let now = app.clock.now();
    let is_unrecoverable = record.account.role.is_staff() && !record.account.contacts(now).any_proven();
    Ok(UserState { sessions: record.living_sessions(now), is_locked, is_unrecoverable, now, record })
}

/// Counts all accounts.
pub async fn count(app: &App) -> Result<u64, StoreError> {
    app.store.users.count_all().await
}

/// Returns up to `limit` accounts, the newest first.
pub async fn newest(app: &App, limit: i64) -> Result<Vec<UserRecord>, StoreError> {
    app.store.users.records(&UserQuery::default(), None, limit).await
}
