//! Codes by SMS: sent within limits, compared a few times, used once.

use std::sync::Arc;

use super::{
    rules::otp::OtpCode,
    sessions::Origin,
    sms::{Sent, SmsError},
    store::{
        otp_codes::{OtpDoc, Purpose},
        otp_tallies::Asked,
    },
    tokens::sealed::HashedToken,
};
use crate::{
    app::App,
    db::StoreError,
    limits::{self, Count, LimitError, Slots},
    values::{
        ids::{ChallengeId, UserId},
        invalid::InvalidField,
        limits::Action,
        phone::{E164, Line},
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
    /// What the number may still be sent.
    of_number: Slots,
    /// What the address may still ask for.
    of_asker: Slots,
}

/// Permission of an address to ask for one code.
#[derive(Debug)]
pub struct Asker(Slots);

impl Asker {
    /// Counts that an address asks for a code to a number that gets SMS. What is asked is told after this only.
    pub async fn count(app: &App, number: &E164, origin: &Origin) -> Result<Self, OtpError> {
        refuse_unreachable(app, number)?;
        Ok(Self(limits::take(app, Count::by_address(Action::OtpAddress, "", origin.client)).await?))
    }
}

/// Takes the slots for one code. Unknown numbers are counted like known ones. A number is counted for each address that
/// asks, so that nobody can use up what its owner may ask for, and once more for all of them, which is wider.
pub async fn reserve(
    app: &App,
    asker: Asker,
    purpose: Purpose,
    number: &E164,
    origin: &Origin,
) -> Result<Reserved, OtpError> {
    let asked = format!("{number} {purpose:?}");
    let by_asker = |action| Count::by_address(action, &asked, origin.client);
    let wanted = by_asker(Action::OtpPause).chain(by_asker(Action::OtpNumber));
    let wanted = wanted.chain([Count::of(Action::OtpNumberTotal, asked.clone())]);
    let of_number = limits::take(app, wanted).await?;
    Ok(Reserved { purpose, number: number.clone(), of_number, of_asker: asker.0 })
}

impl Reserved {
    /// No code will be sent, and that is the caller's fault: the number keeps its slots, the address has used its own.
    pub async fn refuse(self, app: &App) -> Result<(), StoreError> {
        self.of_number.give_back(app).await
    }

    /// No code will be sent, and that is nobody's fault.
    pub async fn give_back(self, app: &App) -> Result<(), StoreError> {
        self.of_number.give_back(app).await?;
        self.of_asker.give_back(app).await
    }

    /// Gives back what a failed sending should not count for.
    async fn not_sent(self, app: &App, error: &OtpError) -> Result<(), StoreError> {
        match error {
            OtpError::Sms(SmsError::Unavailable) | OtpError::Store(_) => self.give_back(app).await,
            _ => self.refuse(app).await,
        }
    }
}

/// Sends a code and keeps what is needed to compare it. What couldn't be sent doesn't count for the number.
pub async fn send(app: &App, reserved: Reserved, user: Option<UserId>) -> Result<ChallengeId, OtpError> {
    let code = reserved.unsent(app, user);
    match deliver(app, &reserved.number, code.id).await {
        Ok(code_hash) => {
            app.store.otp_codes.insert(&OtpDoc { code_hash, is_sent: true, ..code }).await?;
            Ok(code.id)
        }
        Err(error) => {
            reserved.not_sent(app, &error).await?;
            Err(error)
        }
    }
}

/// Keeps the challenge of a code and, for an account, sends the code behind the answer. Without an account the challenge
/// is tried and counted like any other, and no code is right.
pub async fn send_behind(app: &Arc<App>, reserved: Reserved, user: Option<UserId>) -> Result<ChallengeId, StoreError> {
    let code = reserved.unsent(app, user);
    let id = code.id;
    app.store.otp_codes.insert(&code).await?;
    if user.is_none() {
        return Ok(id);
    }
    let app = Arc::clone(app);
    app.tasks.clone().spawn(async move {
        let sent = match deliver(&app, &reserved.number, id).await {
            Ok(code_hash) => app.store.otp_codes.mark_sent(id, code_hash.as_ref()).await.map_err(OtpError::from),
            // Its slots stay taken, as those of a number without an account do.
            Err(error) => Err(error),
        };
        if let Err(error) = sent {
            tracing::warn!(?user, %error, "an OTP was not sent");
        }
    });
    Ok(id)
}

impl Reserved {
    /// The document of a code that has not been sent yet.
    fn unsent(&self, app: &App, user: Option<UserId>) -> OtpDoc {
        let now = app.clock.now();
        OtpDoc {
            id: ChallengeId::new(),
            purpose: self.purpose,
            number: self.number.clone(),
            user,
            code_hash: None,
            is_sent: false,
            attempts: 0,
            created_at: now,
            expires_at: now.after(app.config.lifetimes.otp),
        }
    }
}

/// Sends a code, within what the whole shop may send, and returns its keyed hash; `None` when the service compares it.
async fn deliver(app: &App, number: &E164, id: ChallengeId) -> Result<Option<HashedToken>, OtpError> {
    let slots = limits::take(app, [Count::of(Action::OtpShop, "")]).await?;
    match app.sms.send(number, id).await {
        Ok(Sent::Ours(code)) => Ok(Some(HashedToken::of_code(&app.keys.otp[0], id, code.expose()))),
        Ok(Sent::Theirs) => Ok(None),
        Err(error) => {
            slots.give_back(app).await?;
            Err(error.into())
        }
    }
}

/// What a code is compared with, and whose tries it takes.
#[derive(Debug, Clone, Copy)]
pub enum Tries<'a> {
    /// Challenges of the caller's own; each may be tried five times.
    Challenges(&'a [ChallengeId]),
    /// Challenges of a number, by a caller who has none: all such callers have five tries together, which take none from
    /// those who have a challenge.
    Number(&'a E164, Purpose, &'a [ChallengeId]),
}

/// Uses up the first of the challenges that the code is right for.
pub async fn accept(app: &App, tries: Tries<'_>, code: &str, origin: &Origin) -> Result<OtpDoc, OtpError> {
    let slots = limits::take(app, Count::by_address(Action::OtpCheck, "", origin.client)).await?;
    let code = OtpCode::typed(code).ok_or(OtpError::Invalid)?;
    let challenges = match tries {
        Tries::Challenges(challenges) => challenges,
        Tries::Number(number, purpose, challenges) => {
            let (now, lifetime) = (app.clock.now(), app.config.lifetimes.otp);
            if !app.store.otp_tallies.count_try(number, purpose, now, now.after(lifetime)).await? {
                return Err(OtpError::Spent);
            }
            challenges
        }
    };
    let (mut refusal, mut theirs) = (OtpError::Invalid, None);
    for challenge in challenges {
        let Some(sent) = attempt(app, tries, *challenge).await? else {
            if app.store.otp_codes.is_spent(*challenge, app.clock.now()).await? {
                refusal = OtpError::Spent;
            }
            continue;
        };
        let is_right = match is_right(app, &sent, &code, &mut theirs).await {
            Err(error) => {
                take_back(app, tries, &sent).await?;
                return Err(error);
            }
            Ok(is_right) => is_right,
        };
        if is_right && app.store.otp_codes.consume(&sent).await? {
            slots.give_back(app).await?;
            if let Tries::Number(number, purpose, _) = tries {
                app.store.otp_tallies.forget_tries(number, purpose).await?;
            }
            if sent.code_hash.is_some() {
                app.tasks.spawn(app.sms.report_approved(&sent.number));
            }
            return Ok(sent);
        }
    }
    Err(refusal)
}

async fn attempt(app: &App, tries: Tries<'_>, challenge: ChallengeId) -> Result<Option<OtpDoc>, StoreError> {
    let now = app.clock.now();
    match tries {
        Tries::Challenges(_) => app.store.otp_codes.attempt(challenge, now).await,
        Tries::Number(..) => app.store.otp_codes.find(challenge, now).await,
    }
}

/// A try that couldn't be compared doesn't count.
async fn take_back(app: &App, tries: Tries<'_>, sent: &OtpDoc) -> Result<(), StoreError> {
    match tries {
        Tries::Challenges(_) => app.store.otp_codes.take_back(sent.id).await,
        Tries::Number(number, purpose, _) => app.store.otp_tallies.take_back(number, purpose).await,
    }
}

/// Whether a code was sent for the challenge. A service that makes codes itself knows them by their number alone and counts
/// how often it is asked, so what it says is kept in `theirs`, and no wrong code is asked there twice.
async fn is_right(app: &App, sent: &OtpDoc, code: &OtpCode, theirs: &mut Option<bool>) -> Result<bool, OtpError> {
    if !sent.is_sent && !app.sms.compares_codes() {
        return Ok(false);
    }
    if let Some(hash) = &sent.code_hash {
        return Ok(app.keys.otp.iter().any(|key| HashedToken::of_code(key, sent.id, code.expose()) == *hash));
    }
    if let Some(right) = theirs {
        return Ok(*right);
    }
    let (now, number) = (app.clock.now(), &sent.number);
    let hash = HashedToken::of_claim(&app.keys.otp[0], [number.as_str(), code.expose()]);
    match app.store.otp_tallies.note_asked(number, &hash, now.after(app.config.lifetimes.otp), now).await? {
        Asked::Before => return Ok(*theirs.insert(false)),
        Asked::TooOften => return Err(SmsError::TooMany.into()),
        Asked::New if !sent.is_sent => {
            // Nothing was sent there, and nobody is to see that.
            app.sms.check_nothing().await;
            return Ok(*theirs.insert(false));
        }
        Asked::New => {}
    }
    let asked = app.sms.check(number, code).await;
    if !matches!(asked, Ok(false)) {
        app.store.otp_tallies.forget_asked(number, &hash).await?;
    }
    Ok(*theirs.insert(asked?))
}

/// Refuses a number that no SMS reaches, before anything is counted or sent.
fn refuse_unreachable(app: &App, number: &E164) -> Result<(), InvalidField> {
    let refused = |why| Err(InvalidField::because("phone_number", "phone number", why));
    if !gets_sms(app, number) {
        return refused("no SMS is sent to this country");
    }
    if number.line() == Line::Fixed {
        return refused("no SMS can be sent to a landline");
    }
    Ok(())
}

fn gets_sms(app: &App, number: &E164) -> bool {
    let regions = &app.config.sms.regions;
    if regions.is_empty() { number.is_in(app.config.default_region) } else { regions.iter().any(|r| number.is_in(*r)) }
}
