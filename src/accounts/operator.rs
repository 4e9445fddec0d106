//! What an operator changes about an account on the command line of the server.

use super::{
    hashing::{CallerPresence, HashError},
    rules::{
        password::{NewPassword, Password},
        username::UsernameKey,
    },
    sign_in,
    store::Identifier,
};
use crate::{app::App, db::StoreError, values::invalid::InvalidField};

/// The reason why the password is not set.
#[derive(Debug, thiserror::Error)]
pub enum SetPasswordError {
    /// No account has this username.
    #[error("user not found")]
    NotFound,
    /// The password breaks a rule.
    #[error(transparent)]
    Invalid(#[from] InvalidField),
    /// The password could not be hashed, or is easy to guess.
    #[error(transparent)]
    Hashing(#[from] HashError),
    /// The database call failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Sets the password of an account whose owner can't get back in. All sessions end, links and codes become void, and
/// the counters of failed sign-ins are reset. The change is written to the audits, and a mail tells the owner of it.
pub async fn set_password(app: &App, username: &str, typed: Password) -> Result<(), SetPasswordError> {
    let new = NewPassword::check("password", &typed)?;
    let identifier = UsernameKey::of(username).map(Identifier::Username).ok_or(SetPasswordError::NotFound)?;
    let account = app.store.users.credentials(&identifier).await?.ok_or(SetPasswordError::NotFound)?.account;
    let hash = app.hasher.hash(new, account.owner_details(), &CallerPresence::default()).await?;
    if !app.store.users.set_password(account.id, &hash, &app.trail(None)).await? {
        return Err(SetPasswordError::NotFound);
    }
    Ok(sign_in::forget_failures(app, account.id).await?)
}
