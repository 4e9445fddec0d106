//! Changing the phone number of an account. The caller gives the password, or has signed in within the last 10 minutes,
//! so that a stolen access token is not enough. A code that is sent to the new number proves that the caller has it.

use super::{
    letters,
    otp::{self, AskPermit, OtpError},
    rules::password::Password,
    sessions::ClientContext,
    sign_in::{self, ReauthenticationError},
    store::{Account, otp_codes::Purpose},
};
use crate::{
    app::App,
    db::StoreError,
    mail::kind::MailKind,
    values::{ids::SessionRef, phone::E164},
};

/// The reason why a number is not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeNumberError {
    /// The code was not sent or not accepted.
    #[error(transparent)]
    Otp(#[from] OtpError),
    /// The number or the code is missing.
    #[error("phone_number and otp are required")]
    Incomplete,
    /// Another account has proven the number.
    #[error("phone number already registered")]
    Taken,
    /// The caller has not confirmed the password. An access token alone is not enough here, because the owner of the
    /// number can reset the password.
    #[error(transparent)]
    Reauthentication(#[from] ReauthenticationError),
    /// The session has ended.
    #[error("invalid or expired access token")]
    SignedOut,
    /// The database call failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Sends a code to the new number of an account. Waits until the SMS service has taken the message.
pub async fn send(
    app: &App,
    caller: SessionRef,
    number: &E164,
    current: Option<Password>,
    context: &ClientContext,
) -> Result<(), ChangeNumberError> {
    sign_in::reauthenticate(app, caller, current, context).await?;
    let asker = AskPermit::count(app, number, context).await?;
    if app.store.users.is_proven(number, Some(caller.user)).await? {
        return Err(ChangeNumberError::Taken);
    }
    let permit = otp::reserve(app, asker, Purpose::ChangeNumber, number, context).await?;
    otp::send(app, permit, Some(caller.user)).await?;
    Ok(())
}

/// Gives the account the number that the code proves, and returns the account after the change. The open links, codes
/// and resets of the account become void, and a mail tells its owner of the change.
pub async fn verify(
    app: &App,
    caller: SessionRef,
    number: &E164,
    code: &str,
    context: &ClientContext,
) -> Result<Account, ChangeNumberError> {
    let now = app.clock.now();
    let challenges = app.store.otp_codes.unexpired(number, Purpose::ChangeNumber, Some(caller.user), now).await?;
    otp::accept(app, otp::Tries::Challenges(&challenges), code, context).await?;
    let account = match app.store.users.change_number(caller, number, now).await {
        Err(StoreError::Duplicate) => return Err(ChangeNumberError::Taken),
        changed => changed?.ok_or(ChangeNumberError::SignedOut)?,
    };
    letters::notify(app, &account, MailKind::NumberChanged).await;
    Ok(account)
}
