//! Codes by SMS. They are sent within limits, can be tried a few times, and can be used once.

use std::sync::Arc;

use super::{
    rules::otp::OtpCode,
    sessions::ClientContext,
    sms::{CodeMaker, SmsError},
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
    number_slots: Slots,
    /// The slots that count for the IP address of the caller.
    address_slots: Slots,
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
    pub async fn count(app: &App, number: &E164, context: &ClientContext) -> Result<Self, OtpError> {
        refuse_unreachable(app, number)?;
        Ok(Self(limits::take(app, Count::by_address(Action::OtpAddress, "", context.client)).await?))
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
    context: &ClientContext,
) -> Result<SendPermit, OtpError> {
    let subject = format!("{number} {purpose:?}");
    let from_address = |action| Count::by_address(action, &subject, context.client);
    let from_everywhere = Count::of(Action::OtpNumberTotal, subject.clone());
    let counts = from_address(Action::OtpPause).chain(from_address(Action::OtpNumber)).chain([from_everywhere]);
    let number_slots = limits::take(app, counts).await?;
    Ok(SendPermit { purpose, number: number.clone(), number_slots, address_slots: asker.0 })
}

impl SendPermit {
    /// Returns the slots of the number, but not those of the IP address. For a code that was not sent because of
    /// something that the caller did.
    pub async fn return_number_slots(self, app: &App) -> Result<(), StoreError> {
        self.number_slots.give_back(app).await
    }

    /// Returns all slots. For a code that was not sent because of an error that is not the caller's.
    pub async fn return_all_slots(self, app: &App) -> Result<(), StoreError> {
        self.number_slots.give_back(app).await?;
        self.address_slots.give_back(app).await
    }

    /// Returns the slots of a code that could not be sent because of `error`. The IP address keeps its slots unless the
    /// SMS service or the database failed.
    async fn return_slots_after(self, app: &App, error: &OtpError) -> Result<(), StoreError> {
        match error {
            OtpError::Sms(SmsError::Unavailable) | OtpError::Store(_) => self.return_all_slots(app).await,
            _ => self.return_number_slots(app).await,
        }
    }

    /// Makes the document of a challenge whose code has not been sent yet.
    fn new_challenge(&self, app: &App, user: Option<UserId>) -> OtpDoc {
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

/// Sends a code and stores what is needed to check it later. Waits until the SMS service has taken the message. A code
/// that could not be sent does not count for the number.
pub async fn send(app: &App, permit: SendPermit, user: Option<UserId>) -> Result<ChallengeId, OtpError> {
    let challenge = permit.new_challenge(app, user);
    match deliver(app, &permit.number, challenge.id).await {
        Ok(code_hash) => {
            app.store.otp_codes.insert(&OtpDoc { code_hash, is_sent: true, ..challenge }).await?;
            Ok(challenge.id)
        }
        Err(error) => {
            permit.return_slots_after(app, &error).await?;
            Err(error)
        }
    }
}

/// Stores a challenge and sends its code in the background, so that the time of the answer does not reveal whether
/// there is an account. If `user` is `None`, no code is sent. Tries of that challenge are counted as usual, and no code
/// is accepted.
pub async fn send_in_background(
    app: &Arc<App>,
    permit: SendPermit,
    user: Option<UserId>,
) -> Result<ChallengeId, StoreError> {
    let challenge = permit.new_challenge(app, user);
    app.store.otp_codes.insert(&challenge).await?;
    if user.is_some() {
        let (background, number) = (Arc::clone(app), permit.number);
        app.tasks.spawn(async move {
            // If this fails, the slots stay taken, as they do for a number without an account.
            if let Err(error) = deliver_stored(&background, &number, challenge.id).await {
                tracing::warn!(?user, %error, "an OTP was not sent");
            }
        });
    }
    Ok(challenge.id)
}

/// Sends the code of a challenge that is stored already, and stores the hash of the code.
async fn deliver_stored(app: &App, number: &E164, id: ChallengeId) -> Result<(), OtpError> {
    let code_hash = deliver(app, number, id).await?;
    Ok(app.store.otp_codes.mark_sent(id, code_hash.as_ref()).await?)
}

/// Sends a code within the limit of the whole shop and returns its keyed hash. Returns `None` when the SMS service made
/// the code and will check it.
async fn deliver(app: &App, number: &E164, id: ChallengeId) -> Result<Option<HashedToken>, OtpError> {
    let slots = limits::take(app, [Count::of(Action::OtpShop, "")]).await?;
    match app.sms.send(number, id).await {
        Ok(CodeMaker::Shop(code)) => Ok(Some(HashedToken::of_code(&app.keys.otp[0], id, code.expose()))),
        Ok(CodeMaker::Service) => Ok(None),
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
    Number {
        /// The number.
        number: &'a E164,
        /// The purpose of the challenges.
        purpose: Purpose,
        /// The challenges.
        challenges: &'a [ChallengeId],
    },
}

impl<'a> Tries<'a> {
    fn challenges(self) -> &'a [ChallengeId] {
        match self {
            Self::Challenges(challenges) | Self::Number { challenges, .. } => challenges,
        }
    }
}

/// Checks a code, and uses up the first challenge that it is right for. Returns the document of that challenge.
pub async fn accept(app: &App, tries: Tries<'_>, typed: &str, context: &ClientContext) -> Result<OtpDoc, OtpError> {
    let slots = limits::take(app, Count::by_address(Action::OtpCheck, "", context.client)).await?;
    let code = OtpCode::parse(typed).ok_or(OtpError::Invalid)?;
    let mut check = CodeCheck { app, tries, code, service_answer: None };
    check.count_try_of_number().await?;
    let mut refusal = OtpError::Invalid;
    for id in tries.challenges() {
        match check.try_challenge(*id).await? {
            TryOutcome::Accepted(challenge) => {
                slots.give_back(app).await?;
                check.forget_tries_of_number().await?;
                if challenge.code_hash.is_some() {
                    app.tasks.spawn(app.sms.report_approved(&challenge.number));
                }
                return Ok(challenge);
            }
            TryOutcome::Refused => {}
            TryOutcome::Spent => refusal = OtpError::Spent,
        }
    }
    Err(refusal)
}

/// The result of checking a code against one challenge.
enum TryOutcome {
    /// The code is right. The challenge is used up.
    Accepted(OtpDoc),
    /// The code is wrong, or the challenge was used already or has expired.
    Refused,
    /// The challenge was tried too often.
    Spent,
}

/// The check of one code against one or more challenges.
struct CodeCheck<'a> {
    app: &'a App,
    tries: Tries<'a>,
    code: OtpCode,
    /// Whether the SMS service says that the code is right; `None` before it was asked.
    ///
    /// An SMS service that makes its own codes knows them only by the number, and closes a number after a few wrong
    /// ones. So it is asked once for all challenges.
    service_answer: Option<bool>,
}

impl CodeCheck<'_> {
    /// Counts a try for the number, if the tries count for it. Fails when all tries of the number were used.
    async fn count_try_of_number(&self) -> Result<(), OtpError> {
        let Tries::Number { number, purpose, .. } = self.tries else { return Ok(()) };
        let now = self.app.clock.now();
        let until = now.after(self.app.config.lifetimes.otp);
        let is_left = self.app.store.otp_tallies.count_try(number, purpose, now, until).await?;
        if is_left { Ok(()) } else { Err(OtpError::Spent) }
    }

    /// Starts the count of the number again after a right code, if the tries count for it.
    async fn forget_tries_of_number(&self) -> Result<(), StoreError> {
        let Tries::Number { number, purpose, .. } = self.tries else { return Ok(()) };
        self.app.store.otp_tallies.forget_tries(number, purpose).await
    }

    /// Checks the code against a challenge, and uses the challenge up if the code is right.
    async fn try_challenge(&mut self, id: ChallengeId) -> Result<TryOutcome, OtpError> {
        let Some(challenge) = self.find_challenge(id).await? else {
            let is_spent = self.app.store.otp_codes.is_spent(id, self.app.clock.now()).await?;
            return Ok(if is_spent { TryOutcome::Spent } else { TryOutcome::Refused });
        };
        let is_right = match self.is_right(&challenge).await {
            Ok(is_right) => is_right,
            Err(error) => {
                self.uncount_try(&challenge).await?;
                return Err(error);
            }
        };
        let is_accepted = is_right && self.app.store.otp_codes.consume(&challenge).await?;
        Ok(if is_accepted { TryOutcome::Accepted(challenge) } else { TryOutcome::Refused })
    }

    /// Returns a challenge. Counts a try for it unless the tries count for the number.
    async fn find_challenge(&self, id: ChallengeId) -> Result<Option<OtpDoc>, StoreError> {
        let now = self.app.clock.now();
        match self.tries {
            Tries::Challenges(_) => self.app.store.otp_codes.count_try(id, now).await,
            Tries::Number { .. } => self.app.store.otp_codes.find(id, now).await,
        }
    }

    /// Undoes the count of a try whose code could not be checked because of an error.
    async fn uncount_try(&self, challenge: &OtpDoc) -> Result<(), StoreError> {
        match self.tries {
            Tries::Challenges(_) => self.app.store.otp_codes.uncount_try(challenge.id).await,
            Tries::Number { number, purpose, .. } => self.app.store.otp_tallies.uncount_try(number, purpose).await,
        }
    }

    /// Returns whether the code is that of a challenge.
    async fn is_right(&mut self, challenge: &OtpDoc) -> Result<bool, OtpError> {
        if !challenge.is_sent && !self.app.sms.compares_codes() {
            return Ok(false);
        }
        if let Some(hash) = &challenge.code_hash {
            let has_hash = |key| HashedToken::of_code(key, challenge.id, self.code.expose()) == *hash;
            return Ok(self.app.keys.otp.iter().any(has_hash));
        }
        if let Some(answer) = self.service_answer {
            return Ok(answer);
        }
        let answer = self.ask_service(challenge).await?;
        self.service_answer = Some(answer);
        Ok(answer)
    }

    /// Asks the SMS service whether the code is right. Wrong codes are remembered, so that it is never asked about the
    /// same wrong code again.
    async fn ask_service(&self, challenge: &OtpDoc) -> Result<bool, OtpError> {
        let (app, number, now) = (self.app, &challenge.number, self.app.clock.now());
        let hash = HashedToken::of_claim(&app.keys.otp[0], [number.as_str(), self.code.expose()]);
        match app.store.otp_tallies.note_asked(number, &hash, now.after(app.config.lifetimes.otp), now).await? {
            AskOutcome::AskedBefore => return Ok(false),
            AskOutcome::TooManyAsked => return Err(SmsError::TooMany.into()),
            AskOutcome::New if !challenge.is_sent => {
                // Nothing was sent for this challenge. A faster answer would reveal that.
                app.sms.wait_like_check().await;
                return Ok(false);
            }
            AskOutcome::New => {}
        }
        let answer = app.sms.check(number, &self.code).await;
        if !matches!(answer, Ok(false)) {
            app.store.otp_tallies.forget_asked(number, &hash).await?;
        }
        Ok(answer?)
    }
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
    match regions.is_empty() {
        true => number.is_in(app.config.default_region),
        false => regions.iter().any(|region| number.is_in(*region)),
    }
}
