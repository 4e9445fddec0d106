//! Getting back into an account by a link in a mail.

use super::{
    hashing::HashError,
    links::{self, LinkError},
    rules::password::{NewPassword, Password},
    sessions::Origin,
    sign_in,
    store::{Recoverable, links::LinkKind},
};
use crate::{
    app::App,
    db::StoreError,
    limits::{self, Count, LimitError},
    mail::{self, kind::MailKind},
    values::{email::Email, invalid::InvalidField, limits::Action, net::Client, time::Timestamp},
};

/// Why somebody who can't sign in gets no further.
#[derive(Debug, thiserror::Error)]
pub enum ForgotError {
    /// Nobody has this name, address or number.
    #[error("user not found")]
    UserNotFound,
    /// Too many tries, or too many mails.
    #[error(transparent)]
    Limited(#[from] LimitError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a password isn't reset.
#[derive(Debug, thiserror::Error)]
pub enum ResetError {
    /// A field is missing or breaks a rule.
    #[error(transparent)]
    Invalid(#[from] InvalidField),
    /// The link.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// Too many new passwords.
    #[error(transparent)]
    Limited(#[from] LimitError),
    /// The hashing threads.
    #[error(transparent)]
    Hashing(#[from] HashError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The account that somebody names by name, address or number.
pub async fn find(app: &App, identifier: &str, origin: &Origin) -> Result<Recoverable, ForgotError> {
    limits::take(app, counted("look", origin.client)).await?;
    look_up(app, identifier).await
}

/// Mails a link to reset the password, and says where a link would go. It isn't told whether one may go there: an
/// address that was never proven gets none once a number was.
pub async fn send_link(app: &App, identifier: &str, origin: &Origin) -> Result<Option<Email>, ForgotError> {
    limits::take(app, counted("send", origin.client)).await?;
    let (account, now) = (look_up(app, identifier).await?.account, app.clock.now());
    let shown = account.mail_address(now).cloned();
    mail::count_recovery(app, account.id, origin.client).await?;
    if let Some(to) = account.reset_address(now).filter(|_| account.is_active) {
        mail::put(app, Some(account.id), MailKind::ResetPassword, to).await?;
    }
    Ok(shown)
}

/// Until when a link is good.
pub async fn check(app: &App, uid: &str, token: &str) -> Result<Timestamp, LinkError> {
    Ok(links::open(app, LinkKind::ResetPassword, uid, token).await?.0.expires_at)
}

/// Sets a new password by a link, ends every session, and forgives the failed sign-ins until now. Of several calls
/// with one link the first to be stored wins.
pub async fn reset(app: &App, uid: &str, token: &str, new: Password, origin: &Origin) -> Result<(), ResetError> {
    let (link, account) = links::open(app, LinkKind::ResetPassword, uid, token).await?;
    let new = NewPassword::check("new_password", &new)?;
    limits::take(app, [Count::of(Action::SetPassword, link.user.to_string())]).await?;
    let hash = app.hasher.hash(new, account.owner_details(), &origin.caller).await?;
    if !app.store.proofs.reset_password(&link, &hash, app.clock.now()).await? {
        return Err(LinkError::NotFound.into());
    }
    Ok(sign_in::forgive(app, link.user).await?)
}

/// Looking for an account and having a mail sent are counted apart: one comes before the other.
fn counted(what: &'static str, client: Client) -> impl Iterator<Item = Count> {
    let by_address = move |action| Count::by_address(action, what, client);
    by_address(Action::ForgotMinute).chain(by_address(Action::ForgotDay))
}

async fn look_up(app: &App, identifier: &str) -> Result<Recoverable, ForgotError> {
    let identifier = sign_in::by_any(app, identifier).ok_or(ForgotError::UserNotFound)?;
    app.store.users.recoverable(&identifier, app.clock.now()).await?.ok_or(ForgotError::UserNotFound)
}
