//! Sessions: what a sign-in makes, a refresh rotates (U1) and a logout ends.

use std::net::IpAddr;

use super::{hashing::Caller, mail};
use crate::{
    app::App,
    domain::{
        ids::{ChallengeId, SessionId, SessionRef, UserId},
        mail_kind::MailKind,
        time::Timestamp,
        tokens::{
            access::{AccessToken, Bearer},
            refresh::{RefreshClaim, RefreshToken},
        },
    },
    store::{
        StoreError,
        audits::AuditDoc,
        users::{Account, Refreshable, Rotation, SessionDoc},
    },
};

/// Characters of a browser's own description that are kept.
const DEVICE_CHARS: usize = 200;
/// A refresh that lost a race reads and tries again; each round somebody else's refresh succeeded.
const ROUNDS: usize = 10;

/// Where a call comes from.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The browser or app, as it names itself.
    pub device: String,
    /// The address.
    pub address: IpAddr,
    /// The accounts whose genuine refresh cookies the browser has, be their sessions ended or not.
    pub known_users: Vec<UserId>,
    /// Whether somebody still waits for the answer.
    pub caller: Caller,
    /// The challenge of the code that the browser asked for.
    pub challenge: Option<ChallengeId>,
}

/// An account with the tokens of a living session.
#[derive(Debug)]
pub struct SignedIn {
    /// The account.
    pub account: Account,
    /// For the `Authorization` header.
    pub access: AccessToken,
    /// For the cookie.
    pub refresh: RefreshToken,
}

/// Why a session isn't refreshed.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// No token came.
    #[error("refresh token required")]
    Required,
    /// Not ours, or past its time.
    #[error("invalid or expired refresh token")]
    Invalid,
    /// Its session has ended.
    #[error("refresh token has been revoked")]
    Revoked,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a logout ends nothing.
#[derive(Debug, thiserror::Error)]
pub enum LogoutError {
    /// Neither token came.
    #[error("refresh and access tokens required")]
    Required,
    /// What came is not ours, or its session has ended already.
    #[error("invalid or expired access token")]
    Invalid,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A new session that isn't stored yet.
pub fn begin(app: &App, origin: &Origin, now: Timestamp) -> SessionDoc {
    SessionDoc {
        id: SessionId::new(),
        counter: 0,
        rotated_at: None,
        device: origin.device.chars().take(DEVICE_CHARS).collect(),
        ip: origin.address.to_string(),
        created_at: now,
        signed_in_at: now,
        last_used_at: now,
        expires_at: now.after(app.config.lifetimes.refresh),
    }
}

/// The tokens of a stored session.
pub fn tokens(app: &App, account: Account, session: &SessionDoc, now: Timestamp) -> SignedIn {
    let reference = SessionRef { user: account.id, session: session.id };
    let bearer = Bearer {
        session: reference,
        phone_number: account.phone_number.as_ref().map(crate::domain::phone::E164::as_str),
        role: account.role,
    };
    // No access token outlives its session.
    let end = session.created_at.after(app.config.lifetimes.session);
    let access = app.access_tokens.sign(&bearer, now, now.after(app.config.lifetimes.access).min(end));
    let claim = RefreshClaim { session: reference, counter: session.counter };
    SignedIn { account, access, refresh: RefreshToken::seal(&app.keys.refresh[0], claim) }
}

/// Hands out the next tokens for a refresh token. Of several tokens the first that is still good counts.
pub async fn refresh(app: &App, tokens: &[String]) -> Result<SignedIn, RefreshError> {
    let claims = newest_claims(app, tokens);
    let mut refusal = if tokens.is_empty() { RefreshError::Required } else { RefreshError::Invalid };
    for claim in claims {
        match refresh_claim(app, claim).await {
            Err(RefreshError::Store(error)) => return Err(error.into()),
            Err(refused) => refusal = refused,
            signed_in => return signed_in,
        }
    }
    Err(refusal)
}

/// What the genuine ones of the tokens say; of two for the same session only the newer, so that a browser which also
/// sends an old cookie isn't taken for a thief.
fn newest_claims(app: &App, tokens: &[String]) -> Vec<RefreshClaim> {
    let mut claims: Vec<RefreshClaim> = Vec::new();
    for claim in tokens.iter().filter_map(|token| RefreshToken::open(&app.keys.refresh, token)) {
        match claims.iter_mut().find(|known| known.session == claim.session) {
            Some(known) => known.counter = known.counter.max(claim.counter),
            None => claims.push(claim),
        }
    }
    claims
}

async fn refresh_claim(app: &App, claim: RefreshClaim) -> Result<SignedIn, RefreshError> {
    for _ in 0..ROUNDS {
        let now = app.clock.now();
        let times = rotation(app, now);
        if let Some(rotated) = app.store.users.rotate(claim, times).await? {
            return Ok(tokens(app, rotated.account, &rotated.session, now));
        }
        let current = app.store.users.refreshable(claim.session).await?.ok_or(RefreshError::Revoked)?;
        match judge(claim, &current, times) {
            Verdict::Current => return Ok(tokens(app, current.account, &current.session, now)),
            Verdict::TryAgain => {}
            Verdict::Expired => return Err(RefreshError::Invalid),
            Verdict::Theft => return Err(end_stolen(app, claim).await?),
        }
    }
    Err(RefreshError::Invalid)
}

/// Ends the sessions of a bearer and of the cookies; a cookie of somebody else's session is left alone when a bearer
/// came with it.
pub async fn logout(app: &App, bearer: Option<&str>, cookies: &[String]) -> Result<(), LogoutError> {
    if bearer.is_none() && cookies.is_empty() {
        return Err(LogoutError::Required);
    }
    let bearer = bearer.and_then(|token| app.access_tokens.check(token, app.clock.now()).ok());
    let mut sessions: Vec<SessionRef> = newest_claims(app, cookies).into_iter().map(|claim| claim.session).collect();
    let mut done = !sessions.is_empty();
    sessions.retain(|session| bearer.is_none_or(|bearer| bearer.user == session.user));
    sessions.extend(bearer.filter(|bearer| !sessions.contains(bearer)));
    for session in sessions {
        done |= app.store.users.end_session(session).await?;
    }
    if done { Ok(()) } else { Err(LogoutError::Invalid) }
}

/// What a token that did not rotate means.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// Hand out the session's current token once more.
    Current,
    /// Somebody changed the session in between.
    TryAgain,
    /// The session is past its time.
    Expired,
    /// A token older than the window: somebody has a copy.
    Theft,
}

fn judge(claim: RefreshClaim, current: &Refreshable, times: Rotation) -> Verdict {
    let session = &current.session;
    let in_grace = session.rotated_at.is_some_and(|at| at > times.now.before(times.grace));
    let expired = session.expires_at <= times.now || session.created_at <= times.now.before(times.session);
    if expired || claim.counter > session.counter {
        return Verdict::Expired;
    }
    match session.counter - claim.counter {
        0 | 1 if in_grace => Verdict::Current,
        0 => Verdict::TryAgain,
        _ => Verdict::Theft,
    }
}

async fn end_stolen(app: &App, claim: RefreshClaim) -> Result<RefreshError, StoreError> {
    if app.store.users.end_stolen(claim).await? {
        let (user, session) = (claim.session.user, claim.session.session);
        let audit = AuditDoc::session_stolen(claim.session, &app.trail(None));
        app.store.audits.append(audit).await?;
        tracing::warn!(%user, %session, "an old refresh token was used: session ended as stolen");
        if let Some(account) = app.store.users.active(user).await? {
            mail::notify(app, &account, MailKind::SessionStolen).await;
        }
    }
    Ok(RefreshError::Revoked)
}

fn rotation(app: &App, now: Timestamp) -> Rotation {
    let times = app.config.lifetimes;
    Rotation { now, grace: times.grace, refresh: times.refresh, session: times.session }
}
