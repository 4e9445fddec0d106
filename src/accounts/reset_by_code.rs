//! Resetting a password by a code that is sent to the phone number of the account.

use std::sync::Arc;

use super::{
    hashing::HashError,
    otp::{self, AskPermit, OtpError, Tries},
    rules::{
        contacts::Contact,
        password::{NewPassword, Password},
    },
    sessions::ClientContext,
    sign_in,
    store::{Identifier, otp_codes::Purpose},
    tokens::sealed::ResetToken,
};
use crate::{
    app::App,
    db::StoreError,
    limits::{self, Count},
    values::{ids::ChallengeId, invalid::InvalidField, limits::Action, phone::E164},
};

/// The reason why the password is not reset.
#[derive(Debug, thiserror::Error)]
pub enum ResetByCodeError {
    /// A field is missing or breaks a rule.
    #[error(transparent)]
    Invalid(#[from] InvalidField),
    /// The code was not sent or not accepted.
    #[error(transparent)]
    Otp(#[from] OtpError),
    /// The number or the code is missing.
    #[error("phone_number and otp are required")]
    Incomplete,
    /// The token or the password is missing.
    #[error("reset_token and new_password are required")]
    NothingToSet,
    /// The token was not made by this shop, was used already, or has expired.
    #[error("invalid or expired reset token")]
    BadToken,
    /// The password could not be hashed, or is easy to guess.
    #[error(transparent)]
    Hashing(#[from] HashError),
    /// The system gave no random bytes.
    #[error("no randomness")]
    NoRandomness(#[from] getrandom::Error),
    /// The database call failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Sends a code to a number, if it belongs to an account that may be reset by it. Returns a challenge in any case, and
/// never waits for the SMS. So neither the answer nor its time reveals whether there is such an account.
pub async fn send(app: &Arc<App>, number: E164, context: &ClientContext) -> Result<ChallengeId, ResetByCodeError> {
    let asker = AskPermit::count(app, &number, context).await?;
    let permit = otp::reserve(app, asker, Purpose::Reset, &number, context).await?;
    let credentials = app.store.users.credentials(&Identifier::Phone(number)).await?;
    let (account, now) = (credentials.map(|credentials| credentials.account), app.clock.now());
    let resettable = account.filter(|account| account.is_active && account.contacts(now).may_reset(Contact::Number));
    Ok(otp::send_in_background(app, permit, resettable.map(|account| account.id)).await?)
}

/// Exchanges a code for a token that allows one new password. `challenge` comes from the cookie of the browser; it is
/// `None` without one.
pub async fn verify(
    app: &App,
    number: &E164,
    code: &str,
    challenge: Option<ChallengeId>,
    context: &ClientContext,
) -> Result<ResetToken, ResetByCodeError> {
    let mut challenges = app.store.otp_codes.unexpired(number, Purpose::Reset, None, app.clock.now()).await?;
    let tries = match challenge {
        Some(own) => {
            challenges.retain(|id| *id == own);
            Tries::Challenges(&challenges)
        }
        None => Tries::Number { number, purpose: Purpose::Reset, challenges: &challenges },
    };
    let accepted = otp::accept(app, tries, code, context).await?;
    let user = accepted.user.ok_or(OtpError::Invalid)?;
    let token = ResetToken::random(user)?;
    let expires_at = app.clock.now().after(app.config.lifetimes.reset);
    if app.store.users.allow_reset(user, number, &token.hash(&app.keys.otp[0]), expires_at).await? {
        Ok(token)
    } else {
        // The account was disabled, or has got another number since the code was sent.
        Err(OtpError::Invalid.into())
    }
}

/// Sets the new password and uses the token up. All sessions end, open links and codes become void, and the counters of
/// failed sign-ins are reset.
pub async fn reset(app: &App, token: &str, typed: Password, context: &ClientContext) -> Result<(), ResetByCodeError> {
    let new = NewPassword::check("new_password", &typed)?;
    let token = ResetToken::parse(token).ok_or(ResetByCodeError::BadToken)?;
    let hashes: Vec<_> = app.keys.otp.iter().map(|key| token.hash(key)).collect();
    let user = token.user();
    // Tokens that are not valid are refused before anything is hashed, because a hash takes a lot of time.
    let resettable = app.store.users.resettable(user, &hashes, app.clock.now()).await?;
    let account = resettable.ok_or(ResetByCodeError::BadToken)?;
    let number = account.phone_number.as_ref().ok_or(ResetByCodeError::BadToken)?;
    limits::take(app, [Count::of(Action::SetPassword, user.to_string())]).await.map_err(OtpError::from)?;
    let hash = app.hasher.hash(new, account.owner_details(), &context.caller).await?;
    if !app.store.users.reset_password(user, number, &hashes, &hash, app.clock.now()).await? {
        return Err(ResetByCodeError::BadToken);
    }
    // The password is set already, so an error here is only logged.
    if let Err(error) = sign_in::forget_failures(app, user).await {
        tracing::error!(%user, %error, "failed sign-ins before a new password still count");
    }
    Ok(())
}
