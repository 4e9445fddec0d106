//! Accounts as those who run the shop see and change them.

use super::{
    sign_in,
    store::{UserChange, UserChanged, UserQuery, UserRecord},
};
use crate::{
    app::App,
    db::StoreError,
    values::{
        author::Author,
        ids::UserId,
        invalid::InvalidField,
        paging::{Page, Slice},
        phone::E164,
        role::{Role, UnknownRole},
        time::Timestamp,
    },
};

/// Characters of a query.
const MAX_QUERY: usize = 100;

/// An account, and whether it is closed.
#[derive(Debug)]
pub struct UserState {
    /// The account.
    pub record: UserRecord,
    /// How many browsers and apps are signed in.
    pub sessions: usize,
    /// Whether failed sign-ins have closed it, to one address at least.
    pub is_locked: bool,
    /// When it was looked at.
    pub now: Timestamp,
    /// Whether nobody could get back into it: it runs the shop, and none of its contacts is proven.
    pub is_unrecoverable: bool,
}

/// Why an account isn't shown or changed.
#[derive(Debug, thiserror::Error)]
pub enum UsersError {
    /// A field breaks a rule.
    #[error(transparent)]
    Invalid(#[from] InvalidField),
    /// Nothing was named that can be changed.
    #[error("no fields provided for update")]
    NothingGiven,
    /// There is no such account.
    #[error("user not found")]
    NotFound,
    /// Who asks isn't an admin any more.
    #[error("admins only")]
    NotByAdmin,
    /// Nobody would be left to run the accounts.
    #[error("the shop needs an active admin: make another account an admin first")]
    LastAdmin,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<UnknownRole> for UsersError {
    fn from(unknown: UnknownRole) -> Self {
        InvalidField::because("role", "role", unknown).into()
    }
}

/// A page of the accounts in which a text stands, the newest first, and how many there are. Parts of numbers and
/// addresses are found by admins only: staff, who see them masked, could otherwise guess them piece by piece.
pub async fn list(
    app: &App,
    reader: Role,
    text: Option<String>,
    slice: Slice<UserId>,
) -> Result<(Page<UserRecord>, u64), UsersError> {
    let wanted = query(app, reader, text)?;
    let found = app.store.users.records(wanted.as_ref(), slice.after, slice.probe()).await?;
    let total = app.store.users.count(wanted.as_ref()).await?;
    Ok((Page::of(found, slice.limit), total))
}

/// One account.
pub async fn read(app: &App, user: UserId) -> Result<UserState, UsersError> {
    let record = app.store.users.record(user).await?.ok_or(UsersError::NotFound)?;
    state(app, record).await
}

/// Changes what an account may do, at once and everywhere. Who is disabled is signed out, and what was mailed or sent to
/// them opens nothing any more.
pub async fn change(app: &App, author: &Author, user: UserId, change: UserChange) -> Result<UserState, UsersError> {
    if change.role.is_none() && change.is_active.is_none() {
        return Err(UsersError::NothingGiven);
    }
    match app.store.users.administer(user, change, &app.trail(Some(author))).await? {
        UserChanged::Done(record) => state(app, *record).await,
        UserChanged::Missing => Err(UsersError::NotFound),
        UserChanged::NotByAdmin => Err(UsersError::NotByAdmin),
        UserChanged::LastAdmin => Err(UsersError::LastAdmin),
    }
}

/// Ends all sessions of an account, at once and everywhere.
pub async fn sign_out(app: &App, author: &Author, user: UserId) -> Result<(), UsersError> {
    let found = app.store.users.sign_out(user, &app.trail(Some(author))).await?;
    if found { Ok(()) } else { Err(UsersError::NotFound) }
}

/// Forgets the failed sign-ins to an account.
pub async fn unlock(app: &App, author: &Author, user: UserId) -> Result<(), UsersError> {
    let was_locked = sign_in::is_locked(app, user).await?;
    let counters = sign_in::counters(app, user);
    let found = app.store.users.unlock(user, &counters, was_locked, &app.trail(Some(author))).await?;
    if found { Ok(()) } else { Err(UsersError::NotFound) }
}

async fn state(app: &App, record: UserRecord) -> Result<UserState, UsersError> {
    let is_locked = sign_in::is_locked(app, record.account.id).await?;
    let now = app.clock.now();
    let is_unrecoverable = record.account.role.is_staff() && !record.account.contacts(now).any_proven();
    Ok(UserState { sessions: record.living_sessions(now), is_locked, is_unrecoverable, now, record })
}

fn query(app: &App, reader: Role, text: Option<String>) -> Result<Option<UserQuery>, InvalidField> {
    let Some(text) = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()) else { return Ok(None) };
    if text.chars().count() > MAX_QUERY {
        return Err(InvalidField { field: "q".into(), text: format!("q must be at most {MAX_QUERY} characters") });
    }
    let number = E164::parse(&text, app.config.default_region).ok();
    Ok(Some(UserQuery { text, number, by_parts: reader == Role::Admin }))
}
