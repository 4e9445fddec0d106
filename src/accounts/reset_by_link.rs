//! Resetting a password by a link in a mail.

use super::{
    hashing::HashError,
    links::{self, LinkError},
    rules::password::{NewPassword, Password},
    sessions::ClientContext,
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

/// The reason why no account is found, or no mail is queued.
#[derive(Debug, thiserror::Error)]
pub enum LinkRequestError {
    /// No account has this name, address or number.
    #[error("user not found")]
    UserNotFound,
    /// Too many accounts were looked up, or too many mails were asked for.
    #[error(transparent)]
    Limited(#[from] LimitError),
    /// The database call failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The reason why the password is not reset.
#[derive(Debug, thiserror::Error)]
pub enum ResetError {
    /// A field is missing or breaks a rule.
    #[error(transparent)]
    Invalid(#[from] InvalidField),
    /// The link is not valid or has expired.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// Too many new passwords were set for this account.
    #[error(transparent)]
    Limited(#[from] LimitError),
    /// The password could not be hashed, or is easy to guess.
    #[error(transparent)]
    Hashing(#[from] HashError),
    /// The database call failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Returns the account with a name, address or number. Limited for each IP address, because the answer reveals whether
/// there is such an account.
pub async fn find(app: &App, identifier: &str, context: &ClientContext) -> Result<Recoverable, LinkRequestError> {
    limits::take(app, request_counts("look", context.client)).await?;
    look_up(app, identifier).await
}

/// Queues a mail with a link to reset the password, and returns the address that mails of the account go to.
///
/// The address is returned even if no mail is queued, so that the answer does not reveal whether it may reset the
/// account. For example, an unproven address may not do so if the account has a proven number.
pub async fn send_link(
    app: &App,
    identifier: &str,
    context: &ClientContext,
) -> Result<Option<Email>, LinkRequestError> {
    limits::take(app, request_counts("send", context.client)).await?;
    let (account, now) = (look_up(app, identifier).await?.account, app.clock.now());
    let mail_address = account.mail_address(now).cloned();
    mail::take_recovery_slots(app, account.id, context.client).await?;
    if let Some(to) = account.reset_address(now).filter(|_| account.is_active) {
        mail::queue(app, Some(account.id), MailKind::ResetPassword, to).await?;
    }
    Ok(mail_address)
}

/// Returns when a link expires. The link is not used up.
pub async fn check(app: &App, uid: &str, token: &str) -> Result<Timestamp, LinkError> {
    Ok(links::open(app, LinkKind::ResetPassword, uid, token).await?.0.expires_at)
}

/// Sets a new password by a link and uses the link up. All sessions end, other links and codes become void, and the
/// counters of failed sign-ins are reset. Of several calls with the same link only one succeeds.
pub async fn reset(
    app: &App,
    uid: &str,
    token: &str,
    typed: Password,
    context: &ClientContext,
) -> Result<(), ResetError> {
    let (link, account) = links::open(app, LinkKind::ResetPassword, uid, token).await?;
    let new = NewPassword::check("new_password", &typed)?;
    limits::take(app, [Count::of(Action::SetPassword, link.user.to_string())]).await?;
    let hash = app.hasher.hash(new, account.owner_details(), &context.caller).await?;
    if !app.store.proofs.reset_password(&link, &hash, app.clock.now()).await? {
        return Err(LinkError::NotFound.into());
    }
    Ok(sign_in::forget_failures(app, link.user).await?)
}

/// Returns the counts of one request from an IP address. Looking up an account and asking for a mail are counted
/// separately, because a reset needs one of each.
fn request_counts(request: &'static str, client: Client) -> impl Iterator<Item = Count> {
    let by_address = move |action| Count::by_address(action, request, client);
    by_address(Action::ForgotMinute).chain(by_address(Action::ForgotDay))
}

async fn look_up(app: &App, typed: &str) -> Result<Recoverable, LinkRequestError> {
    let identifier = sign_in::identify(app, typed).ok_or(LinkRequestError::UserNotFound)?;
    app.store.users.recoverable(&identifier, app.clock.now()).await?.ok_or(LinkRequestError::UserNotFound)
}
