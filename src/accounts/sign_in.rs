//! Signing in with a password (update U6 in `docs/architecture.md`).

use std::time::Duration;

use super::{
    hashing::{CallerPresence, Comparison, HashError},
    rules::{
        password::{Password, PasswordHash},
        username::UsernameKey,
    },
    sessions::{self, Carrier, ClientContext, SignedIn},
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

/// The time after a sign-in in which the password need not be given again. A refresh does not extend it.
pub const RECENT_SIGN_IN: Duration = Duration::from_secs(10 * 60);

/// The maximum number of attempts when the hash of a password changes while the password is compared with it.
pub const ATTEMPTS: usize = 3;

/// The limits that block sign-ins to an account: from one IP address, and from all.
const ACCOUNT_LIMITS: [Action; 2] = [Action::SignIn, Action::SignInAccount];

/// The reason why a sign-in fails.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// A field is missing.
    #[error(transparent)]
    Invalid(#[from] InvalidField),
    /// There is no such account, or the password is wrong. The answer does not reveal which.
    #[error("invalid credentials")]
    WrongCredentials,
    /// The password is right, but the account is disabled.
    #[error("account disabled")]
    Disabled,
    /// Too many sign-ins have failed.
    #[error(transparent)]
    Limited(#[from] LimitError),
    /// The password could not be compared.
    #[error(transparent)]
    Hashing(#[from] HashError),
    /// The database call failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Returns the identifier for a phone number in any spelling; `None` if no account can have this number.
pub fn identify_by_phone(app: &App, typed: &str) -> Option<Identifier> {
    E164::parse(typed, app.config.default_region).ok().map(Identifier::Phone)
}

/// Returns the identifier for a name, address or number; `None` if no account can have it. A text with an `@` is an
/// address, and a text without any letter is a number.
pub fn identify(app: &App, typed: &str) -> Option<Identifier> {
    if typed.contains('@') {
        Email::parse(typed).ok().map(Identifier::Email)
    } else if !is_longer_than_names(typed) && !typed.contains(char::is_alphabetic) {
        identify_by_phone(app, typed)
    } else {
        UsernameKey::of(typed).map(Identifier::Username)
    }
}

/// Checks the password and begins a session. For an unknown account the answer takes as long as for a known one, and
/// failures are counted in the same way. Only a wrong password or an unknown account counts as a failure.
pub async fn sign_in(
    app: &App,
    identifier: Option<Identifier>,
    password: Password,
    carrier: Carrier,
    context: &ClientContext,
) -> Result<SignedIn, SignInError> {
    let credentials = match &identifier {
        Some(identifier) => app.store.users.credentials(identifier).await?,
        None => None,
    };
    let user = credentials.as_ref().map(|credentials| credentials.account.id);
    let slots = limits::take(app, failure_counts(user, identifier.as_ref(), context)).await?;
    let signed_in = open_session(app, credentials, password, carrier, context).await;
    if !matches!(signed_in, Err(SignInError::WrongCredentials)) {
        slots.give_back(app).await?;
    }
    signed_in
}

/// Compares the password and begins a session. The stored hash may change in the meantime, because another sign-in
/// renews it or the password is changed. Then the new hash is read and compared.
async fn open_session(
    app: &App,
    mut credentials: Option<Credentials>,
    password: Password,
    carrier: Carrier,
    context: &ClientContext,
) -> Result<SignedIn, SignInError> {
    for _ in 0..ATTEMPTS {
        let confirmed = compare(app, credentials, &password, &context.caller).await?;
        let Credentials { account, password_hash } = confirmed.credentials;
        if !account.is_active {
            return Err(SignInError::Disabled);
        }
        let (user, now) = (account.id, app.clock.now());
        let session = sessions::begin(app, context, account.role, carrier, now);
        if app.store.users.push_session(user, &password_hash, &session, now).await? {
            if confirmed.is_hash_outdated {
                renew_hash(app, user, &password_hash, password).await;
            }
            return Ok(sessions::tokens(app, account, &session, now));
        }
        credentials = app.store.users.credentials_of(user).await?;
    }
    Err(SignInError::WrongCredentials)
}

/// Checks the current password of a caller who is signed in. Wrong passwords count for the session and the IP address.
/// So the thief of a session can't keep guessing, and the other sessions of the account are not blocked.
pub async fn confirm_password(
    app: &App,
    caller: SessionRef,
    password: Password,
    context: &ClientContext,
) -> Result<Credentials, SignInError> {
    let credentials = app.store.users.credentials_of(caller.user).await?;
    let by_session = Count::of(Action::Confirm, format!("{} {}", caller.user, caller.session));
    let by_address = Count::by_address(Action::SignInAddress, "", context.client);
    let slots = limits::take(app, std::iter::once(by_session).chain(by_address)).await?;
    let confirmed = compare(app, credentials, &password, &context.caller).await;
    if !matches!(confirmed, Err(SignInError::WrongCredentials)) {
        slots.give_back(app).await?;
    }
    confirmed.map(|confirmed| confirmed.credentials)
}

/// The reason why a caller with an access token may not do something that needs the password too.
#[derive(Debug, thiserror::Error)]
pub enum ReauthenticationError {
    /// The password is wrong or could not be checked.
    #[error(transparent)]
    NotConfirmed(#[from] SignInError),
    /// No password was given, and the sign-in was more than 10 minutes ago.
    #[error("confirm with current_password or sign in again")]
    Required,
    /// The session has ended.
    #[error("invalid or expired access token")]
    SignedOut,
    /// The database call failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Checks that the caller gives the password of the account, or has signed in within the last 10 minutes
/// ([`RECENT_SIGN_IN`]).
pub async fn reauthenticate(
    app: &App,
    caller: SessionRef,
    current: Option<Password>,
    context: &ClientContext,
) -> Result<(), ReauthenticationError> {
    if let Some(current) = current {
        confirm_password(app, caller, current, context).await?;
        return Ok(());
    }
    let signed_in_at = app.store.users.signed_in_at(caller).await?.ok_or(ReauthenticationError::SignedOut)?;
    let is_recent = signed_in_at > app.clock.now().before(RECENT_SIGN_IN);
    if is_recent { Ok(()) } else { Err(ReauthenticationError::Required) }
}

/// An account whose password is confirmed.
struct Confirmed {
    credentials: Credentials,
    /// Whether the hash should be renewed.
    is_hash_outdated: bool,
}

/// Compares a password with the hash of an account. Without an account it takes as long, and the result is
/// [`SignInError::WrongCredentials`]. The caller has to take slots of the limits first.
async fn compare(
    app: &App,
    credentials: Option<Credentials>,
    password: &Password,
    caller: &CallerPresence,
) -> Result<Confirmed, SignInError> {
    let hash = credentials.as_ref().map(|credentials| credentials.password_hash.clone());
    let comparison = app.hasher.verify(password.clone(), hash, caller).await?;
    let Some(credentials) = credentials.filter(|_| comparison != Comparison::Different) else {
        return Err(SignInError::WrongCredentials);
    };
    let is_hash_outdated = comparison == Comparison::SameAsTyped || app.hasher.is_outdated(&credentials.password_hash);
    Ok(Confirmed { credentials, is_hash_outdated })
}

/// Resets the counters of failed sign-ins to an account, from all IP addresses. For an owner who has just got back in.
pub async fn forget_failures(app: &App, user: UserId) -> Result<(), StoreError> {
    for action in ACCOUNT_LIMITS {
        limits::clear(app, action, &user.to_string()).await?;
    }
    Ok(())
}

/// Returns whether failed sign-ins block an account, from at least one IP address.
pub async fn is_locked(app: &App, user: UserId) -> Result<bool, StoreError> {
    for action in ACCOUNT_LIMITS {
        if limits::is_reached(app, action, &user.to_string()).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns the prefixes of the keys under which the failed sign-ins to an account are counted.
pub fn failure_keys(app: &App, user: UserId) -> Vec<String> {
    ACCOUNT_LIMITS.map(|action| limits::key(app, action, &user.to_string())).to_vec()
}

/// Returns what a failed sign-in counts for:
///
/// - the account from this IP address
/// - this IP address
/// - the account from everywhere
///
/// The last one does not count for a browser that was once signed in to the account, so that strangers can't lock its
/// owner out. It does not count for an identifier that no account can have either.
fn failure_counts(user: Option<UserId>, identifier: Option<&Identifier>, context: &ClientContext) -> Vec<Count> {
    let account = user.map_or_else(|| format!("{identifier:?}").replace(' ', ""), |user| user.to_string());
    let mut counts: Vec<Count> = Count::by_address(Action::SignIn, &account, context.client).collect();
    counts.extend(Count::by_address(Action::SignInAddress, "", context.client));
    if identifier.is_some() && !user.is_some_and(|user| context.known_users.contains(&user)) {
        counts.push(Count::of(Action::SignInAccount, account));
    }
    counts
}

/// Replaces an outdated hash after a sign-in; if this fails, the next sign-in tries again.
///
/// After a change of `BCRYPT_COST` the hashes must get the new cost. An unknown account is always compared at the
/// current cost, so an account with another cost would be recognised by the time of the answer.
async fn renew_hash(app: &App, user: UserId, old: &PasswordHash, password: Password) {
    let renewed = async {
        let new = app.hasher.rehash(password, &CallerPresence::default()).await?;
        Ok::<_, SignInError>(app.store.users.replace_hash(user, old, &new).await?)
    };
    if let Err(error) = renewed.await {
        tracing::warn!(%user, %error, "the password's hash is not renewed");
    }
}
