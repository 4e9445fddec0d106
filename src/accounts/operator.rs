//! What those who run the machine do to an account, from its command line.

use super::{
    hashing::{Caller, HashError},
    rules::{
        password::{NewPassword, Password},
        username::UsernameKey,
    },
    sign_in,
    store::Identifier,
};
use crate::{app::App, db::StoreError, values::invalid::InvalidField};

/// Why no password is set.
#[derive(Debug, thiserror::Error)]
pub enum SetPasswordError {
    /// Nobody has the name.
    #[error("user not found")]
    NotFound,
    /// The password breaks a rule.
    #[error(transparent)]
    Invalid(#[from] InvalidField),
    /// The hashing threads.
    #[error(transparent)]
    Hashing(#[from] HashError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Sets the password of an account whose owner can't get back in: every session ends, links and codes are void, failed
/// sign-ins are forgotten, the owner is told, and the audits as well.
pub async fn set_password(app: &App, username: &str, new: Password) -> Result<(), SetPasswordError> {
    let new = NewPassword::check("password", &new)?;
    let identifier = UsernameKey::of(username).map(Identifier::Username).ok_or(SetPasswordError::NotFound)?;
    let found = app.store.users.credentials(&identifier).await?.ok_or(SetPasswordError::NotFound)?;
    let hash = app.hasher.hash(new, found.account.owner_details(), &Caller::default()).await?;
    if !app.store.users.set_password(found.account.id, &hash, &app.trail(None)).await? {
        return Err(SetPasswordError::NotFound);
    }
    Ok(sign_in::forgive(app, found.account.id).await?)
}
