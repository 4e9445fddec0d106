//! Signing in with a password (U6).

use std::time::Duration;

use super::{
    hashing::{Caller, Comparison, HashError},
    rules::{
        password::{Password, PasswordHash},
        username::UsernameKey,
    },
    sessions::{self, Carrier, Origin, SignedIn},
    store::{Credentials, Identifier},
};
use crate::{
    app::App,
    db::StoreError,
    limits::{self, Count, LimitError},
    values::{
        email::Email,
        ids::{SessionRef, UserId},
        invalid::InvalidField,
        limits::Action,
        phone::E164,
        text::is_longer_than_names,
    },
};

/// How long a sign-in stands for its password. A refresh doesn't prolong it.
pub const RECENT: Duration = Duration::from_secs(10 * 60);

/// How often a password is compared anew because the hash was renewed meanwhile.
pub(super) const ATTEMPTS: usize = 3;

/// What closes an account, to one address or to all.
const LOCKS: [Action; 2] = [Action::SignIn, Action::SignInAccount];

/// Why a sign-in fails.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// A field is missing.
    #[error(transparent)]
    Invalid(#[from] InvalidField),
    /// No such account, or not its password: the answer doesn't tell which.
    #[error("invalid credentials")]
    WrongCredentials,
    /// The password is right, but the account may not be used.
    #[error("account disabled")]
    Disabled,
    /// Too many failures.
    #[error(transparent)]
    Limited(#[from] LimitError),
    /// The hashing threads.
    #[error(transparent)]
    Hashing(#[from] HashError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is looked up for a number as typed; `None` for what can't be anybody's.
pub fn by_phone(app: &App, typed: &str) -> Option<Identifier> {
    E164::parse(typed, app.config.default_region).ok().map(Identifier::Phone)
}

/// What is looked up for a name, address or number as typed: with an `@` it is an address, without any letter a number.
pub fn by_any(app: &App, typed: &str) -> Option<Identifier> {
    if typed.contains('@') {
        Email::parse(typed).ok().map(Identifier::Email)
    } else if !is_longer_than_names(typed) && !typed.contains(char::is_alphabetic) {
        by_phone(app, typed)
    } else {
        UsernameKey::of(typed).map(Identifier::Username)
    }
}

/// Checks the password and begins a session. Known and unknown accounts cost the same bcrypt job, and are counted alike.
pub async fn sign_in(
    app: &App,
    identifier: Option<Identifier>,
    password: Password,
    carrier: Carrier,
    origin: &Origin,
) -> Result<SignedIn, SignInError> {
    let found = match &identifier {
        Some(identifier) => app.store.users.credentials(identifier).await?,
        None => None,
    };
    let user = found.as_ref().map(|found| found.account.id);
    let slots = limits::take(app, counted(user, identifier.as_ref(), origin)).await?;
    let signed_in = open_session(app, found, password, carrier, origin).await;
    if !matches!(signed_in, Err(SignInError::WrongCredentials)) {
        slots.give_back(app).await?;
    }
    signed_in
}

/// Compares the password and begins a session. The hash may be renewed, or the password changed, while this is hashing:
/// then what is stored is read again.
async fn open_session(
    app: &App,
    mut found: Option<Credentials>,
    password: Password,
    carrier: Carrier,
    origin: &Origin,
) -> Result<SignedIn, SignInError> {
    for _ in 0..ATTEMPTS {
        let Checked { found: checked, is_outdated } = compare(app, found, &password, &origin.caller).await?;
        let Credentials { account, password_hash } = checked;
        if !account.is_active {
            return Err(SignInError::Disabled);
        }
        let (user, now) = (account.id, app.clock.now());
        let session = sessions::begin(app, origin, account.role, carrier, now);
        if app.store.users.push_session(user, &password_hash, &session, now).await? {
            renew_hash(app, user, &password_hash, is_outdated, password).await;
            return Ok(sessions::tokens(app, account, &session, now));
        }
        found = app.store.users.credentials_of(user).await?;
    }
    Err(SignInError::WrongCredentials)
}

/// Checks the current password of a signed-in caller. Wrong ones are counted for the session and the address, so that
/// neither a stolen session nor a network can go on guessing, and other sessions of the account are not held up.
pub async fn confirm(
    app: &App,
    caller: SessionRef,
    password: Password,
    origin: &Origin,
) -> Result<Credentials, SignInError> {
    let found = app.store.users.credentials_of(caller.user).await?;
    let by_session = Count::of(Action::Confirm, format!("{} {}", caller.user, caller.session));
    let by_address = Count::by_address(Action::SignInAddress, "", origin.client);
    let slots = limits::take(app, std::iter::once(by_session).chain(by_address)).await?;
    let compared = compare(app, found, &password, &origin.caller).await;
    if !matches!(compared, Err(SignInError::WrongCredentials)) {
        slots.give_back(app).await?;
    }
    compared.map(|checked| checked.found)
}

/// Why somebody who is signed in may not do what a stolen access token must not do.
#[derive(Debug, thiserror::Error)]
pub enum ReauthenticationError {
    /// The password was not confirmed.
    #[error(transparent)]
    NotConfirmed(#[from] SignInError),
    /// The sign-in is too old to stand for the password.
    #[error("confirm with current_password or sign in again")]
    Required,
    /// The session is not alive any more.
    #[error("invalid or expired access token")]
    SignedOut,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Asks for the password, or for a sign-in of late.
pub async fn reauthenticate(
    app: &App,
    caller: SessionRef,
    current: Option<Password>,
    origin: &Origin,
) -> Result<(), ReauthenticationError> {
    if let Some(current) = current {
        confirm(app, caller, current, origin).await?;
        return Ok(());
    }
    let signed_in_at = app.store.users.signed_in_at(caller).await?.ok_or(ReauthenticationError::SignedOut)?;
    let recent = signed_in_at > app.clock.now().before(RECENT);
    if recent { Ok(()) } else { Err(ReauthenticationError::Required) }
}

/// An account whose password was given.
struct Checked {
    found: Credentials,
    /// Whether the hash is to be made anew.
    is_outdated: bool,
}

/// Compares a password with that of an account, or of nobody's. Limits were taken before.
async fn compare(
    app: &App,
    found: Option<Credentials>,
    password: &Password,
    caller: &Caller,
) -> Result<Checked, SignInError> {
    let hash = found.as_ref().map(|found| found.password_hash.clone());
    let comparison = app.hasher.verify(password.clone(), hash, caller).await?;
    let Some(found) = found.filter(|_| comparison != Comparison::Different) else {
        return Err(SignInError::WrongCredentials);
    };
    let is_outdated = comparison == Comparison::SameAsTyped || app.hasher.is_outdated(&found.password_hash);
    Ok(Checked { found, is_outdated })
}

/// Forgets the failed sign-ins to an account, from wherever they came: its owner has just got back in.
pub async fn forgive(app: &App, user: UserId) -> Result<(), StoreError> {
    for action in LOCKS {
        limits::clear(app, action, &user.to_string()).await?;
    }
    Ok(())
}

/// Whether failed sign-ins have closed an account, to one address at least.
pub async fn is_locked(app: &App, user: UserId) -> Result<bool, StoreError> {
    for action in LOCKS {
        if limits::is_reached(app, action, &user.to_string()).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What the keys begin with under which the failed sign-ins to an account are counted.
pub fn counters(app: &App, user: UserId) -> Vec<String> {
    LOCKS.map(|action| limits::key(app, action, &user.to_string())).to_vec()
}

/// What a failure counts for. A browser that has once been signed in to the account is not held up by what others
/// try, so that nobody can lock an owner out. An identifier that no account can have takes no account-wide slot.
fn counted(user: Option<UserId>, identifier: Option<&Identifier>, origin: &Origin) -> Vec<Count> {
    let account = user.map_or_else(|| format!("{identifier:?}").replace(' ', ""), |user| user.to_string());
    let mut counted: Vec<Count> = Count::by_address(Action::SignIn, &account, origin.client).collect();
    counted.extend(Count::by_address(Action::SignInAddress, "", origin.client));
    if identifier.is_some() && !user.is_some_and(|user| origin.known_users.contains(&user)) {
        counted.push(Count::of(Action::SignInAccount, account));
    }
    counted
}

/// After a change of `BCRYPT_COST`, sign-ins bring hashes to the new cost: a different cost would tell by its time
/// which accounts exist, since unknown ones cost what is set now. Where that fails, the next sign-in tries again.
async fn renew_hash(app: &App, user: UserId, old: &PasswordHash, is_outdated: bool, password: Password) {
    if !is_outdated {
        return;
    }
    let renewed = async {
        let new = app.hasher.rehash(password, &Caller::default()).await?;
        Ok::<_, SignInError>(app.store.users.replace_hash(user, old, &new).await?)
    };
    if let Err(error) = renewed.await {
        tracing::warn!(%user, %error, "the password's hash is not renewed");
    }
}
