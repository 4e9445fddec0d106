//! A new password for whoever holds the account's phone.

use std::sync::Arc;

use super::{
    hashing::HashError,
    mail,
    otp::{self, OtpError},
    sessions::Origin,
    sign_in,
};
use crate::{
    app::App,
    domain::{
        ids::UserId,
        invalid::InvalidField,
        mail_kind::MailKind,
        password::{NewPassword, Password},
        phone::E164,
        tokens::sealed::ResetToken,
    },
    store::{StoreError, otp_codes::Purpose, users::Identifier},
};

/// Why there is no new password.
#[derive(Debug, thiserror::Error)]
pub enum ForgotError {
    /// A field is missing or breaks a rule.
    #[error(transparent)]
    Invalid(#[from] InvalidField),
    /// The code.
    #[error(transparent)]
    Otp(#[from] OtpError),
    /// Number or code is missing.
    #[error("phone_number and otp are required")]
    Incomplete,
    /// Token or password is missing.
    #[error("reset_token and new_password are required")]
    NothingToSet,
    /// The token is not ours, was used, or is past its time.
    #[error("invalid or expired reset token")]
    BadToken,
    /// The hashing threads.
    #[error(transparent)]
    Hashing(#[from] HashError),
    /// The system has no randomness.
    #[error("no randomness")]
    NoRandomness(#[from] getrandom::Error),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Sends a code to the account with a number, if there is one. The answer never waits for the SMS: its time would tell.
pub async fn send(app: &Arc<App>, number: E164, origin: &Origin) -> Result<(), ForgotError> {
    let reserved = otp::reserve(app, Purpose::Reset, &number, origin).await?;
    let found = app.store.users.credentials(&Identifier::Phone(number)).await?;
    let Some(user) = found.filter(|found| found.account.is_active).map(|found| found.account.id) else {
        return Ok(());
    };
    let app = Arc::clone(app);
    app.tasks.clone().spawn(async move {
        if let Err(error) = otp::send(&app, reserved, Some(user)).await {
            tracing::warn!(%user, %error, "the OTP for a new password was not sent");
        }
    });
    Ok(())
}

/// Exchanges a code for the permission to set one new password.
pub async fn verify(app: &App, number: &E164, code: &str, origin: &Origin) -> Result<ResetToken, ForgotError> {
    let now = app.clock.now();
    let challenges = app.store.otp_codes.live(number, Purpose::Reset, None, now).await?;
    let accepted = otp::accept(app, &challenges, code, origin).await?;
    let user = accepted.user.ok_or(OtpError::Invalid)?;
    let token = ResetToken::random(user)?;
    let expires_at = app.clock.now().after(app.config.lifetimes.reset);
    let allowed = app.store.users.allow_reset(user, number, &token.hash(&app.keys.otp[0]), expires_at).await?;
    // The account was disabled, or has another number by now.
    if allowed { Ok(token) } else { Err(OtpError::Invalid.into()) }
}

/// Sets the new password; every session ends, every open code is void, and failed sign-ins are forgotten.
pub async fn reset(app: &App, token: &str, new: Password, origin: &Origin) -> Result<(), ForgotError> {
    let new = NewPassword::check(new).map_err(|why| InvalidField::because("new_password", "password", why))?;
    let token = ResetToken::parse(token).ok_or(ForgotError::BadToken)?;
    let hashes: Vec<_> = app.keys.otp.iter().map(|key| token.hash(key)).collect();
    let user = token.user();
    // Junk is refused before it costs a hash.
    if !app.store.users.may_reset(user, &hashes, app.clock.now()).await? {
        return Err(ForgotError::BadToken);
    }
    let hash = app.hasher.hash(new, &origin.caller).await?;
    if !app.store.users.reset_password(user, &hashes, &hash, app.clock.now()).await? {
        return Err(ForgotError::BadToken);
    }
    if let Err(error) = settle(app, user).await {
        tracing::error!(%user, %error, "failed sign-ins before a new password still count, or its owner is not told");
    }
    Ok(())
}

/// What a new password brings with it: no failed sign-in of before counts, and the owner is told. The password is set by
/// then, whatever becomes of this.
async fn settle(app: &App, user: UserId) -> Result<(), StoreError> {
    sign_in::forgive(app, user).await?;
    if let Some(account) = app.store.users.active(user).await? {
        mail::notify(app, &account, MailKind::PasswordChanged).await;
    }
    Ok(())
}
