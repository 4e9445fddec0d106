//! Signing in with a password (U6).

use std::time::Duration;

use super::{
    hashing::{Caller, HashError},
    limits::{self, LimitError},
    sessions::{self, Origin, SignedIn},
};
use crate::{
    app::App,
    domain::{
        email::Email,
        ids::{SessionRef, UserId},
        invalid::InvalidField,
        limits::Action,
        net,
        password::{Password, PasswordHash},
        phone::E164,
        username::UsernameKey,
    },
    store::{
        StoreError,
        users::{Credentials, Identifier},
    },
};

/// How long a sign-in stands for its password. A refresh doesn't prolong it.
pub const RECENT: Duration = Duration::from_secs(10 * 60);

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

/// What is looked up for a name, address or number as typed: with an `@` it is an address, all of digits a number.
pub fn by_any(app: &App, typed: &str) -> Option<Identifier> {
    let digits = typed.strip_prefix('+').unwrap_or(typed);
    if typed.contains('@') {
        Email::parse(typed).ok().map(Identifier::Email)
    } else if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        by_phone(app, typed)
    } else {
        Some(Identifier::Username(UsernameKey::of(typed)))
    }
}

/// Checks the password and begins a session. Known and unknown accounts cost the same bcrypt job, and are counted alike.
pub async fn sign_in(
    app: &App,
    identifier: Option<Identifier>,
    password: Password,
    origin: &Origin,
) -> Result<SignedIn, SignInError> {
    let found = match &identifier {
        Some(identifier) => app.store.users.credentials(identifier).await?,
        None => None,
    };
    let user = found.as_ref().map(|found| found.account.id);
    let counted = counted(user, identifier.as_ref(), origin);
    let found = check_password(app, found, password.clone(), &counted, &origin.caller).await?;
    if !found.account.is_active {
        return Err(SignInError::Disabled);
    }
    let now = app.clock.now();
    let session = sessions::begin(app, origin, now);
    // Refused when the password was changed or the account disabled while this was hashing.
    if !app.store.users.push_session(found.account.id, &found.password_hash, &session, now).await? {
        return Err(SignInError::WrongCredentials);
    }
    renew_hash(app, found.account.id, &found.password_hash, password).await;
    Ok(sessions::tokens(app, found.account, &session, now))
}

/// Has somebody who is signed in give the password again; wrong ones count like those of a sign-in, but what others try
/// doesn't hold them up.
pub async fn confirm(app: &App, user: UserId, password: Password, origin: &Origin) -> Result<Credentials, SignInError> {
    let found = app.store.users.credentials_of(user).await?;
    check_password(app, found, password, &from_here(&user.to_string(), origin), &origin.caller).await
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
        confirm(app, caller.user, current, origin).await?;
        return Ok(());
    }
    let signed_in_at = app.store.users.signed_in_at(caller).await?.ok_or(ReauthenticationError::SignedOut)?;
    let recent = signed_in_at > app.clock.now().before(RECENT);
    if recent { Ok(()) } else { Err(ReauthenticationError::Required) }
}

/// Slots are taken before anything is hashed, and only wrong passwords keep them.
async fn check_password(
    app: &App,
    found: Option<Credentials>,
    password: Password,
    counted: &[(Action, String)],
    caller: &Caller,
) -> Result<Credentials, SignInError> {
    let slots = limits::take(app, counted).await?;
    let hash: Option<PasswordHash> = found.as_ref().map(|found| found.password_hash.clone());
    let verified = app.hasher.verify(password, hash, caller).await;
    if !matches!(verified, Ok(false)) {
        slots.give_back(app).await?;
    }
    found
        .filter(|_| matches!(verified, Ok(true)))
        .ok_or(verified.err().map_or(SignInError::WrongCredentials, Into::into))
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
/// try, so that nobody can lock an owner out; and what can't be anybody's closes nothing for others who mistype theirs.
fn counted(user: Option<UserId>, identifier: Option<&Identifier>, origin: &Origin) -> Vec<(Action, String)> {
    let account = user.map_or_else(|| format!("{identifier:?}").replace(' ', ""), |user| user.to_string());
    let mut counted = from_here(&account, origin);
    if identifier.is_some() && !user.is_some_and(|user| origin.known_users.contains(&user)) {
        counted.push((Action::SignInAccount, account));
    }
    counted
}

/// What a failure counts for at the address it comes from.
fn from_here(account: &str, origin: &Origin) -> Vec<(Action, String)> {
    let address = net::counted(origin.address);
    vec![(Action::SignIn, format!("{account} {address}")), (Action::SignInAddress, address)]
}

/// After a change of `BCRYPT_COST`, sign-ins bring hashes to the new cost: a different cost would tell by its time
/// which accounts exist, since unknown ones cost what is set now. Where that fails, the next sign-in tries again.
async fn renew_hash(app: &App, user: UserId, old: &PasswordHash, password: Password) {
    if !app.hasher.is_outdated(old) {
        return;
    }
    let renewed = async {
        let new = app.hasher.rehash(password, &Caller::default()).await?;
        Ok::<_, SignInError>(app.store.users.replace_hash(user, old, &new).await?)
    };
    if let Err(error) = renewed.await {
        tracing::warn!(%user, %error, "the password's hash keeps its old cost");
    }
}
