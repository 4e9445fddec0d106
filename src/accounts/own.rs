//! What owners do with their accounts: change the password, see and end sessions, leave.

use super::{
    hashing::HashError,
    rules::password::{NewPassword, Password},
    sessions::Origin,
    sign_in::{self, SignInError},
    store::{SessionDoc, WholeAccount},
};
use crate::{
    app::App,
    db::StoreError,
    limits::{self, Count},
    mail::{self, kind::MailKind},
    values::{
        ids::{SessionId, SessionRef},
        invalid::InvalidField,
        limits::Action,
        role::Role,
    },
};

/// Why an account isn't changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// A field is missing or breaks a rule.
    #[error(transparent)]
    Invalid(#[from] InvalidField),
    /// The password was not confirmed.
    #[error(transparent)]
    NotConfirmed(#[from] SignInError),
    /// There is no such session, or it is somebody else's.
    #[error("session not found")]
    SessionNotFound,
    /// The shop would be left without those who run it.
    #[error("an admin's account can't be deleted; another admin must make it a customer's first")]
    Admin,
    /// The session is not alive any more.
    #[error("invalid or expired access token")]
    SignedOut,
    /// The hashing threads.
    #[error(transparent)]
    Hashing(#[from] HashError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The caller's living sessions.
pub async fn sessions(app: &App, caller: SessionRef) -> Result<Vec<SessionDoc>, AccountError> {
    Ok(app.store.users.sessions(caller, app.clock.now()).await?)
}

/// Ends one of the caller's sessions.
pub async fn end_session(app: &App, caller: SessionRef, session: SessionId) -> Result<(), AccountError> {
    let ended = app.store.users.end_session(SessionRef { user: caller.user, session }).await?;
    if ended { Ok(()) } else { Err(AccountError::SessionNotFound) }
}

/// Ends all of the caller's sessions, this one included.
pub async fn end_all_sessions(app: &App, caller: SessionRef) -> Result<(), AccountError> {
    Ok(app.store.users.end_all_sessions(caller.user).await?)
}

/// Everything that is kept about the caller but the secrets.
pub async fn export(app: &App, caller: SessionRef) -> Result<WholeAccount, AccountError> {
    app.store.users.whole(caller, app.clock.now()).await?.ok_or(AccountError::SignedOut)
}

/// Sets a new password; every other session ends, codes and links are void, and the owner is told.
pub async fn change_password(
    app: &App,
    caller: SessionRef,
    current: Password,
    new: Password,
    origin: &Origin,
) -> Result<(), AccountError> {
    let new = NewPassword::check("new_password", &new)?;
    let counted = limits::take(app, [Count::of(Action::SetPassword, caller.user.to_string())]).await;
    counted.map_err(SignInError::from)?;
    for _ in 0..sign_in::ATTEMPTS {
        let confirmed = sign_in::confirm(app, caller, current.clone(), origin).await?;
        let hash = app.hasher.hash(new.clone(), confirmed.account.owner_details(), &origin.caller).await?;
        if app.store.users.change_password(caller, &confirmed.password_hash, &hash, app.clock.now()).await? {
            mail::notify(app, &confirmed.account, MailKind::PasswordChanged).await;
            return Ok(());
        }
        // Another change was faster, which the next comparison tells, or a sign-in has renewed the hash.
    }
    Err(AccountError::SignedOut)
}

/// Removes an account: its name, number and address are free again.
pub async fn delete(app: &App, caller: SessionRef, current: Password, origin: &Origin) -> Result<(), AccountError> {
    for _ in 0..sign_in::ATTEMPTS {
        let confirmed = sign_in::confirm(app, caller, current.clone(), origin).await?;
        if confirmed.account.role == Role::Admin {
            return Err(AccountError::Admin);
        }
        if app.store.users.delete(caller.user, &confirmed.password_hash, app.clock.now()).await? {
            return Ok(());
        }
        // The password, its hash or the role was changed a moment ago.
    }
    Err(AccountError::SignedOut)
}
