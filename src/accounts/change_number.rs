//! Another number for an account: proven by a code, asked for by its owner and not by a stolen access token.

use super::{
    otp::{self, Asker, OtpError},
    rules::password::Password,
    sessions::Origin,
    sign_in::{self, ReauthenticationError},
    store::{Account, otp_codes::Purpose},
};
use crate::{
    app::App,
    db::StoreError,
    mail::{self, kind::MailKind},
    values::{ids::SessionRef, phone::E164},
};

/// Why a number isn't changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeNumberError {
    /// The code.
    #[error(transparent)]
    Otp(#[from] OtpError),
    /// Number or code is missing.
    #[error("phone_number and otp are required")]
    Incomplete,
    /// Another account has proven the number.
    #[error("phone number already registered")]
    Taken,
    /// Whoever has the number can reset the password: an access token alone must not bring another one.
    #[error(transparent)]
    Reauthentication(#[from] ReauthenticationError),
    /// The session is not alive any more.
    #[error("invalid or expired access token")]
    SignedOut,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Sends a code to the number that an account is to have.
pub async fn send(
    app: &App,
    caller: SessionRef,
    number: &E164,
    current: Option<Password>,
    origin: &Origin,
) -> Result<(), ChangeNumberError> {
    sign_in::reauthenticate(app, caller, current, origin).await?;
    let asker = Asker::count(app, number, origin).await?;
    if app.store.users.is_proven(number, Some(caller.user)).await? {
        return Err(ChangeNumberError::Taken);
    }
    let reserved = otp::reserve(app, asker, Purpose::ChangeNumber, number, origin).await?;
    otp::send(app, reserved, Some(caller.user)).await?;
    Ok(())
}

/// Gives the account the number that the code proves; open codes and resets of the account are void.
pub async fn verify(
    app: &App,
    caller: SessionRef,
    number: &E164,
    code: &str,
    origin: &Origin,
) -> Result<Account, ChangeNumberError> {
    let now = app.clock.now();
    let challenges = app.store.otp_codes.live(number, Purpose::ChangeNumber, Some(caller.user), now).await?;
    otp::accept(app, otp::Tries::Challenges(&challenges), code, origin).await?;
    let account = match app.store.users.change_number(caller, number, now).await {
        Err(StoreError::Duplicate) => return Err(ChangeNumberError::Taken),
        changed => changed?.ok_or(ChangeNumberError::SignedOut)?,
    };
    mail::notify(app, &account, MailKind::NumberChanged).await;
    Ok(account)
}
