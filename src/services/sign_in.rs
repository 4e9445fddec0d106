//! Signing in with a password (U6).

use super::{
    hashing::HashError,
    sessions::{self, Origin, SignedIn},
};
use crate::{
    app::App,
    domain::{
        email::Email,
        invalid::InvalidField,
        password::{Password, PasswordHash},
        phone::E164,
        username::UsernameKey,
    },
    store::{StoreError, users::Identifier},
};

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

/// Checks the password and begins a session. Known and unknown accounts cost the same bcrypt job.
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
    let hash: Option<PasswordHash> = found.as_ref().map(|found| found.password_hash.clone());
    let right = app.hasher.verify(password, hash).await?;
    let found = found.filter(|_| right).ok_or(SignInError::WrongCredentials)?;
    if !found.account.is_active {
        return Err(SignInError::Disabled);
    }
    let now = app.clock.now();
    let session = sessions::begin(app, origin, now);
    // Refused when the password was changed or the account disabled while this was hashing.
    if !app.store.users.push_session(found.account.id, &found.password_hash, &session, now).await? {
        return Err(SignInError::WrongCredentials);
    }
    Ok(sessions::tokens(app, found.account, &session, now))
}
