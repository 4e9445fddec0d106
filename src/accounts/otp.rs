//! Codes by SMS. They are sent within limits, can be tried a few times, and can be used once.

use std::sync::Arc;

use super::{
    rules::otp::OtpCode,
    sessions::ClientContext,
    sms::{Sent, SmsError},
    store::{
        otp_codes::{OtpDoc, Purpose},
        otp_tallies::AskOutcome,
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
        phone::{E164, LineType},
    },
};

/// The reason why a code is not sent or not accepted.
#[derive(Debug, thiserror::Error)]
pub enum OtpError {
    /// The code is wrong, was used already, or has expired.
    #[error("invalid or expired OTP")]
    Invalid,
    /// Too many wrong codes were given for this challenge or number.
    #[error("too many wrong OTPs, ask for a new one")]
    Spent,
    /// A limit is reached: too many codes were sent or tried.
    #[error(transparent)]
    Limited(#[from] LimitError),
    /// The number can't get an SMS from this shop.
    #[error(transparent)]
    Number(#[from] InvalidField),
    /// The SMS service failed or refused.
    #[error(transparent)]
    Sms(#[from] SmsError),
    /// The database call failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The permission to send one code: the slots that were taken from the limits.
#[derive(Debug)]
pub struct SendPermit {
    purpose: Purpose,
    number: E164,
    /// The slots that count for the phone number.
    of_number: Slots,
    /// The slots that count for the IP address of the caller.
    of_asker: Slots,
}

/// The permission of an IP address to ask for one code.
#[derive(Debug)]
pub struct AskPermit(Slots);

impl AskPermit {
    /// Counts a request for a code for the IP address of the caller. Fails, without counting, when the number can't get
    /// an SMS from this shop.
    ///
    /// Call this before any answer that depends on whether the number is known. Otherwise a caller could test phone
    /// numbers without a limit.
    pub async fn count(app: &App, number: &E164, origin: &ClientContext) -> Result<Self, OtpError> {
        refuse_unreachable(app, number)?;
        Ok(Self(limits::take(app, Count::by_address(Action::OtpAddress, "", origin.client)).await?))
    }
}

/// Takes the slots for one code to a number. Unknown numbers are counted like known ones.
///
/// Each request is counted in two ways: for the number together with the IP address of the caller, and for the number
/// alone. The second limit is wider. So a stranger who asks for codes reaches their own limit first, and the owner of
/// the number can still get a code.
pub async fn reserve(
    app: &App,
    asker: AskPermit,
    purpose: Purpose,
    number: &E164,
    origin: &ClientContext,
) -> Result<SendPermit, OtpError> {
    let asked = format!("{number} {purpose:?}");
    let by_asker = |action| Count::by_address(action, &asked, origin.client);
    let wanted = by_asker(Action::OtpPause).chain(by_asker(Action::OtpNumber));
    let wanted = wanted.chain([Count::of(Action::OtpNumberTotal, asked.clone())]);
    let of_number = limits::take(app, wanted).await?;
    Ok(SendPermit { purpose, number: number.clone(), of_number, of_asker: asker.0 })
}

impl SendPermit {
    /// Gives the slots of the number back, but not those of the IP address. For a code that was not sent because of
    /// something that the caller did.
    pub async fn refuse(self, app: &App) -> Result<(), StoreError> {
        self.of_number.give_back(app).await
    }

    /// Gives all slots back. For a code that was not sent because of an error that is not the caller's.
    pub async fn give_back(self, app: &App) -> Result<(), StoreError> {
        self.of_number.give_back(app).await?;
        self.of_asker.give_back(app).await
    }

    /// Gives back the slots of a code that could not be sent. The IP address keeps them unless the SMS service or the
    /// database failed.
    async fn not_sent(self, app: &App, error: &OtpError) -> Result<(), StoreError> {
        match error {
            OtpError::Sms(SmsError::Unavailable) | OtpError::Store(_) => self.give_back(app).await,
            _ => self.refuse(app).await,
        }
    }
}

/// Sends a code and stores what is needed to check it later. Waits until the SMS service has taken the message. A code
/// that could not be sent does not count for the number.
pub async fn send(app: &App, reserved: SendPermit, user: Option<UserId>) -> Result<ChallengeId, OtpError> {
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

/// Stores a challenge and sends its code in the background, so that the time of the answer does not reveal whether
/// there is an account. If `user` is `None`, no code is sent. Tries of that challenge are counted as usual, and no code
/// is accepted.
pub async fn send_behind(
    app: &Arc<App>,
    reserved: SendPermit,
    user: Option<UserId>,
) -> Result<ChallengeId, StoreError> {
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
            // The slots stay taken, as they do for a number without an account.
            Err(error) => Err(error),
        };
        if let Err(error) = sent {
            tracing::warn!(?user, %error, "an OTP was not sent");
        }
    });
    Ok(id)
}

impl SendPermit {
    /// Makes the document of a code that has not been sent yet.
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

/// Sends a code within the limit of the whole shop and returns its keyed hash. Returns `None` when the SMS service made
/// the code and will check it.
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

/// The challenges that a code is checked against, and the counter that its tries count for.
#[derive(Debug, Clone, Copy)]
pub enum Tries<'a> {
    /// Challenges that the caller asked for, which the cookie or the session shows. Each may be tried five times.
    Challenges(&'a [ChallengeId]),
    /// All challenges of a number, for a caller without the cookie of one. All such callers together have five tries,
    /// which do not count for the challenges themselves. So they can't use up the tries of a caller who has the cookie.
    Number(&'a E164, Purpose, &'a [ChallengeId]),
}

/// Checks a code, and uses up the first challenge that it is right for. Returns the document of that challenge.
pub async fn accept(app: &App, tries: Tries<'_>, code: &str, origin: &ClientContext) -> Result<OtpDoc, OtpError> {
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

/// Takes back the count of a try whose code could not be checked because of an error.
async fn take_back(app: &App, tries: Tries<'_>, sent: &OtpDoc) -> Result<(), StoreError> {
    match tries {
        Tries::Challenges(_) => app.store.otp_codes.take_back(sent.id).await,
        Tries::Number(number, purpose, _) => app.store.otp_tallies.take_back(number, purpose).await,
    }
}

/// Returns whether `code` is the code of a challenge.
///
/// An SMS service that makes its own codes knows them only by the number, and closes a number after a few wrong ones.
/// So it is asked once for all challenges of a call, and its answer is kept in `theirs`. Wrong codes are remembered, so
/// that it is never asked about the same wrong code again.
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
        AskOutcome::Before => return Ok(*theirs.insert(false)),
        AskOutcome::TooOften => return Err(SmsError::TooMany.into()),
        AskOutcome::New if !sent.is_sent => {
            // Nothing was sent for this challenge. A faster answer would reveal that.
            app.sms.check_nothing().await;
            return Ok(*theirs.insert(false));
        }
        AskOutcome::New => {}
    }
    let asked = app.sms.check(number, code).await;
    if !matches!(asked, Ok(false)) {
        app.store.otp_tallies.forget_asked(number, &hash).await?;
    }
    Ok(*theirs.insert(asked?))
}

/// Refuses a number that can't get an SMS from this shop.
fn refuse_unreachable(app: &App, number: &E164) -> Result<(), InvalidField> {
    let refused = |why| Err(InvalidField::because("phone_number", "phone number", why));
    if !gets_sms(app, number) {
        return refused("no SMS is sent to this country");
    }
    if number.line_type() == LineType::Fixed {
        return refused("no SMS can be sent to a landline");
    }
    Ok(())
}

fn gets_sms(app: &App, number: &E164) -> bool {
    let regions = &app.config.sms.regions;
    if regions.is_empty() { number.is_in(app.config.default_region) } else { regions.iter().any(|r| number.is_in(*r)) }
}
