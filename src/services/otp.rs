//! Codes by SMS: sent within limits, compared a few times, used once.

use super::{
    limits::{self, LimitError, Slots},
    sessions::Origin,
};
use crate::{
    app::App,
    domain::{
        ids::{ChallengeId, UserId},
        invalid::InvalidField,
        limits::Action,
        net,
        otp::OtpCode,
        phone::E164,
        tokens::sealed::HashedToken,
    },
    integrations::sms::{Sent, SmsError},
    store::{
        StoreError,
        otp_codes::{OtpDoc, Purpose},
    },
};

/// Why a code isn't sent or accepted.
#[derive(Debug, thiserror::Error)]
pub enum OtpError {
    /// Wrong, used, or past its time.
    #[error("invalid or expired OTP")]
    Invalid,
    /// Tried too often.
    #[error("too many wrong OTPs, ask for a new one")]
    Spent,
    /// Sent or tried too often.
    #[error(transparent)]
    Limited(#[from] LimitError),
    /// The number gets no SMS.
    #[error(transparent)]
    Number(#[from] InvalidField),
    /// The SMS service.
    #[error(transparent)]
    Sms(#[from] SmsError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Permission to send one code.
#[derive(Debug)]
pub struct Reserved {
    purpose: Purpose,
    number: E164,
    slots: Slots,
}

/// Takes the slots for one code. Unknown numbers are counted like known ones.
pub async fn reserve(app: &App, purpose: Purpose, number: &E164, origin: &Origin) -> Result<Reserved, OtpError> {
    if !gets_sms(app, number) {
        let why = "no SMS is sent to this country";
        return Err(InvalidField::because("phone_number", "phone number", why).into());
    }
    let subject = format!("{number} {purpose:?}");
    let wanted = [
        (Action::OtpPause, subject.clone()),
        (Action::OtpNumber, subject),
        (Action::OtpAddress, net::counted(origin.address)),
        (Action::OtpShop, String::new()),
    ];
    Ok(Reserved { purpose, number: number.clone(), slots: limits::take(app, &wanted).await? })
}

impl Reserved {
    /// No code will be sent.
    pub async fn give_back(self, app: &App) -> Result<(), StoreError> {
        self.slots.give_back(app).await
    }
}

/// Sends a code and keeps what is needed to compare it. What couldn't be sent doesn't count.
pub async fn send(app: &App, reserved: Reserved, user: Option<UserId>) -> Result<ChallengeId, OtpError> {
    let Reserved { purpose, number, slots } = reserved;
    let id = ChallengeId::new();
    let sent = match app.sms.send(&number, id).await {
        Ok(sent) => sent,
        Err(error) => {
            slots.give_back(app).await?;
            return Err(error.into());
        }
    };
    let code_hash = match sent {
        Sent::Ours(code) => Some(HashedToken::of_code(&app.keys.otp[0], id, code.expose())),
        Sent::Theirs => None,
    };
    let now = app.clock.now();
    let expires_at = now.after(app.config.lifetimes.otp);
    let code = OtpDoc { id, purpose, number, user, code_hash, attempts: 0, created_at: now, expires_at };
    app.store.otp_codes.insert(&code).await?;
    Ok(id)
}

/// Uses up the first of the challenges that the code is right for.
pub async fn accept(app: &App, challenges: &[ChallengeId], code: &str, origin: &Origin) -> Result<OtpDoc, OtpError> {
    let slots = limits::take(app, &[(Action::OtpCheck, net::counted(origin.address))]).await?;
    let code = OtpCode::typed(code).ok_or(OtpError::Invalid)?;
    let (mut refusal, mut theirs) = (OtpError::Invalid, None);
    for challenge in challenges {
        let now = app.clock.now();
        let Some(sent) = app.store.otp_codes.attempt(*challenge, now).await? else {
            if app.store.otp_codes.is_spent(*challenge, now).await? {
                refusal = OtpError::Spent;
            }
            continue;
        };
        if is_right(app, &sent, &code, &mut theirs).await? && app.store.otp_codes.consume(&sent).await? {
            slots.give_back(app).await?;
            return Ok(sent);
        }
    }
    Err(refusal)
}

/// Whether a code was sent for the challenge. A service that makes codes itself knows them by their number alone and counts
/// how often it is asked, so what it says is kept in `theirs`. A try that it couldn't compare doesn't count.
async fn is_right(app: &App, sent: &OtpDoc, code: &OtpCode, theirs: &mut Option<bool>) -> Result<bool, OtpError> {
    if let Some(hash) = &sent.code_hash {
        return Ok(app.keys.otp.iter().any(|key| HashedToken::of_code(key, sent.id, code.expose()) == *hash));
    }
    if let Some(right) = theirs {
        return Ok(*right);
    }
    match app.sms.check(&sent.number, code).await {
        Ok(right) => Ok(*theirs.insert(right)),
        Err(error) => {
            app.store.otp_codes.take_back(sent.id).await?;
            Err(error.into())
        }
    }
}

fn gets_sms(app: &App, number: &E164) -> bool {
    let regions = &app.config.sms.regions;
    if regions.is_empty() { number.is_in(app.config.default_region) } else { regions.iter().any(|r| number.is_in(*r)) }
}
