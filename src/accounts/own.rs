//! What owners do with their accounts: change the password, and list and end sessions. Reading and removing the whole
//! account are here too, for the export and the deletion in `privacy`.

use super::{
    hashing::HashError,
    letters,
    rules::password::{NewPassword, Password},
    sessions::ClientContext,
    sign_in::{self, SignInError},
    store::{SessionDoc, WholeAccount},
};
use crate::{
    app::App,
    db::StoreError,
    limits::{self, Count},
    mail::kind::MailKind,
    values::{
        ids::{SessionId, SessionRef},
        invalid::InvalidField,
        limits::Action,
    },
};

/// The reason why an account is not read or changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// A field is missing or breaks a rule.
    #[error(transparent)]
    Invalid(#[from] InvalidField),
    /// The password was not confirmed.
    #[error(transparent)]
    NotConfirmed(#[from] SignInError),
    /// The session has ended, or belongs to another account.
    #[error("session not found")]
    SessionNotFound,
    /// The account is an admin's. Admins can't delete their accounts, so that the shop always has one.
    #[error("an admin's account can't be deleted; another admin must make it a customer's first")]
    Admin,
    /// The session has ended.
    #[error("invalid or expired access token")]
    SignedOut,
    /// The password could not be hashed, or is easy to guess.
    #[error(transparent)]
    Hashing(#[from] HashError),
    /// The database call failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Returns the sessions of the caller that have not expired.
pub async fn sessions(app: &App, caller: SessionRef) -> Result<Vec<SessionDoc>, AccountError> {
    Ok(app.store.users.sessions(caller, app.clock.now()).await?)
}

/// Ends one of the caller's sessions.
pub async fn end_session(app: &App, caller: SessionRef, session: SessionId) -> Result<(), AccountError> {
    let ended = app.store.users.end_session(SessionRef { user: caller.user, session }).await?;
    if ended { Ok(()) } else { Err(AccountError::SessionNotFound) }
}

/// Ends all sessions of the caller, including the current one.
pub async fn end_all_sessions(app: &App, caller: SessionRef) -> Result<(), AccountError> {
    Ok(app.store.users.end_all_sessions(caller.user).await?)
}

/// Returns the account of the caller with its cart and the sessions that have not expired, but without secrets.
pub async fn whole(app: &App, caller: SessionRef) -> Result<WholeAccount, AccountError> {
    app.store.users.whole_account(caller, app.clock.now()).await?.ok_or(AccountError::SignedOut)
}

/// Sets a new password. All other sessions end, codes and links become void, and a mail tells the owner of the change.
pub async fn change_password(
    app: &App,
    caller: SessionRef,
    current: Password,
    typed: Password,
    context: &ClientContext,
) -> Result<(), AccountError> {
    let new = NewPassword::check("new_password", &typed)?;
    let slots = limits::take(app, [Count::of(Action::SetPassword, caller.user.to_string())]).await;
    slots.map_err(SignInError::from)?;
    for _ in 0..sign_in::ATTEMPTS {
        let confirmed = sign_in::confirm_password(app, caller, current.clone(), context).await?;
        let hash = app.hasher.hash(new.clone(), confirmed.account.owner_details(), &context.caller).await?;
        if app.store.users.change_password(caller, &confirmed.password_hash, &hash, app.clock.now()).await? {
            letters::notify(app, &confirmed.account, MailKind::PasswordChanged).await;
            return Ok(());
        }
        // A sign-in may have renewed the hash: then the next attempt succeeds. If the password was changed, the next
        // `confirm_password` fails.
    }
    Err(AccountError::SignedOut)
}
