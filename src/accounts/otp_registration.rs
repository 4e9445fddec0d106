//! Signing up with a code. The new account is a pending registration until a code proves its number. It belongs to the
//! challenge of the browser that asked for the code.

use super::{
    hashing::HashError,
    otp::{self, AskPermit, OtpError, SendPermit, Tries},
    registration::{Identity, NewAccount, RegisterError, new_document},
    sessions::{self, Carrier, ClientContext, SignedIn},
    store::{DesiredIdentity, SessionDoc, UserDoc, Verified, otp_codes::Purpose, pending_registrations::PendingDoc},
    tokens::sealed::HashedToken,
};
use crate::{
    app::App,
    db::StoreError,
    values::{ids::ChallengeId, invalid::InvalidField, phone::E164, role::Role, time::Timestamp},
};

/// The reason why no code is sent, or no account is made.
#[derive(Debug, thiserror::Error)]
pub enum OtpRegisterError {
    /// A rule of every sign-up is broken.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// The code was not sent or not accepted.
    #[error(transparent)]
    Otp(#[from] OtpError),
    /// The number or the code is missing.
    #[error("phone_number and otp are required")]
    Incomplete,
    /// No registration is pending for this number, or it has expired.
    #[error("no pending registration for this number")]
    NothingPending,
}

impl From<StoreError> for OtpRegisterError {
    fn from(error: StoreError) -> Self {
        Self::Register(error.into())
    }
}

impl From<HashError> for OtpRegisterError {
    fn from(error: HashError) -> Self {
        Self::Register(error.into())
    }
}

/// Sends a code to the number of a new account and stores a pending registration. Fails when another account has the
/// name or address, or has proven the number. A number that another account only claims is allowed, because it goes to
/// the account that proves it.
pub async fn send(app: &App, account: NewAccount, context: &ClientContext) -> Result<ChallengeId, OtpRegisterError> {
    let NewAccount { identity, password } = account;
    let Some(number) = identity.phone_number.clone() else {
        return Err(RegisterError::from(InvalidField::required("phone_number")).into());
    };
    let asker = AskPermit::count(app, &number, context).await?;
    refuse_taken(app, &identity).await?;
    let claim = HashedToken::of_claim(&app.keys.otp[0], [identity.username.as_str(), password.expose()]);
    let permit = reserve(app, asker, &number, &claim, context).await?;
    let password_hash = match app.hasher.hash(password, identity.owner_details(), &context.caller).await {
        Ok(hash) => hash,
        Err(error) => {
            match error {
                HashError::Guessable(_) => permit.return_number_slots(app).await?,
                _ => permit.return_all_slots(app).await?,
            }
            return Err(error.into());
        }
    };
    let id = otp::send(app, permit, None).await?;
    let expires_at = app.clock.now().after(app.config.lifetimes.otp);
    let (username, email) = (identity.username, identity.email);
    let pending = PendingDoc { id, number, username, email, password_hash, claim, expires_at };
    app.store.pending_registrations.insert(&pending).await?;
    Ok(id)
}

/// Takes the slots for the code of a sign-up. If a limit is reached, the refused sign-up is remembered by its `claim`.
///
/// An example of why: Mallory asks for codes to Asha's number until the limit is reached. Now Asha's own sign-up is
/// refused, but Mallory's code is on her phone. If she typed it, she would confirm Mallory's account. Because her
/// sign-up is remembered, [`confirmable_pendings`] refuses the code.
async fn reserve(
    app: &App,
    asker: AskPermit,
    number: &E164,
    claim: &HashedToken,
    context: &ClientContext,
) -> Result<SendPermit, OtpRegisterError> {
    let reserved = otp::reserve(app, asker, Purpose::Register, number, context).await;
    if reserved.is_err() {
        let now = app.clock.now();
        app.store.otp_tallies.note_claim(number, claim, now.after(app.config.lifetimes.otp), now).await?;
    }
    Ok(reserved?)
}

/// Makes the account whose number the code proves, and signs its owner in. `challenge` comes from the cookie of the
/// browser; it is `None` without one.
pub async fn verify(
    app: &App,
    number: &E164,
    code: &str,
    challenge: Option<ChallengeId>,
    context: &ClientContext,
) -> Result<SignedIn, OtpRegisterError> {
    let pendings = confirmable_pendings(app, number, challenge).await?;
    let challenges: Vec<ChallengeId> = pendings.iter().map(|pending| pending.id).collect();
    let tries = match challenge {
        Some(_) => Tries::Challenges(&challenges),
        None => Tries::Number { number, purpose: Purpose::Register, challenges: &challenges },
    };
    let accepted = otp::accept(app, tries, code, context).await?;
    let confirmed = pendings.into_iter().find(|pending| pending.id == accepted.id);
    let pending = confirmed.ok_or(OtpRegisterError::NothingPending)?;
    let now = app.clock.now();
    let session = sessions::begin(app, context, Role::Customer, Carrier::Cookie, now);
    let user = document_of(&pending, session.clone(), now);
    match app.store.users.insert(&user, now).await {
        Err(StoreError::Duplicate) => {
            return Err(refuse_taken(app, &pending.identity()).await.err().unwrap_or(PHONE_TAKEN));
        }
        inserted => inserted?,
    }
    // The account exists now. The pending registration expires by itself if it can't be deleted.
    if let Err(error) = app.store.pending_registrations.delete(pending.id).await {
        tracing::warn!(%error, "a registration that was finished is still waiting");
    }
    Ok(sessions::tokens(app, user.into(), &session, now))
}

/// The error when another account has proven the number in the meantime.
const PHONE_TAKEN: OtpRegisterError = OtpRegisterError::Register(RegisterError::PhoneTaken);

/// Returns the pending registrations that a code may confirm.
///
/// With the cookie of a challenge this is the one that the browser asked for. Without it, a code proves that the caller
/// has the phone, but not which of several registrations they asked for:
///
/// | pending for the number | a code without the cookie |
/// |---|---|
/// | one registration, or several with the same name and password | is checked |
/// | registrations with different names or passwords | is refused |
/// | one registration, and a different one was refused because of the limits | is refused |
async fn confirmable_pendings(
    app: &App,
    number: &E164,
    challenge: Option<ChallengeId>,
) -> Result<Vec<PendingDoc>, OtpRegisterError> {
    let mut pendings = app.store.pending_registrations.unexpired(number, app.clock.now()).await?;
    if let Some(challenge) = challenge {
        pendings.retain(|pending| pending.id == challenge);
    }
    let Some(first) = pendings.first() else { return Err(OtpRegisterError::NothingPending) };
    if challenge.is_none() {
        let refused_claims = app.store.otp_tallies.claims(number, app.clock.now()).await?;
        let mut all_claims = pendings.iter().map(|pending| &pending.claim).chain(&refused_claims);
        if all_claims.any(|claim| *claim != first.claim) {
            return Err(OtpError::Invalid.into());
        }
    }
    Ok(pendings)
}

async fn refuse_taken(app: &App, identity: &Identity) -> Result<(), OtpRegisterError> {
    if let Some(number) = &identity.phone_number
        && app.store.users.is_proven(number, None).await?
    {
        return Err(PHONE_TAKEN);
    }
    let username = identity.username.key();
    let desired = DesiredIdentity { number: None, username: Some(&username), email: identity.email.as_ref() };
    match app.store.users.find_taken(desired, None, app.clock.now()).await? {
        Some(taken) => Err(RegisterError::from(taken).into()),
        None => Ok(()),
    }
}

/// Makes the document of the account of a pending registration whose number is proven.
fn document_of(pending: &PendingDoc, session: SessionDoc, now: Timestamp) -> UserDoc {
    let mut user = new_document(pending.identity(), pending.password_hash.clone(), Role::Customer, vec![session], now);
    user.verification.phone = Some(Verified::proven_at(pending.number.clone(), now));
    user
}

impl PendingDoc {
    fn identity(&self) -> Identity {
        let (username, email) = (self.username.clone(), self.email.clone());
        Identity { username, phone_number: Some(self.number.clone()), email }
    }
}
