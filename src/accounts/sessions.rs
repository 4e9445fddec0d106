//! Sessions: what a sign-in makes and a logout ends. Refreshing them is in `refresh.rs`.

use super::{
    hashing::Caller,
    refresh::newest_claims,
    store::{Account, SessionDoc},
    tokens::{
        access::{AccessToken, Bearer},
        refresh::{RefreshClaim, RefreshToken, STATIC_COUNTER},
    },
};
use crate::{
    app::App,
    config::BodyRefresh,
    db::StoreError,
    values::{
        ids::{ChallengeId, SessionId, SessionRef, UserId},
        net::Client,
        role::Role,
        time::Timestamp,
    },
};

/// Characters of a browser's own description that are kept.
const DEVICE_CHARS: usize = 200;

/// Where a call comes from.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The browser or app, as it names itself.
    pub device: String,
    /// The address.
    pub client: Client,
    /// The accounts whose genuine refresh cookies the browser has, including those of sessions that have ended.
    pub known_users: Vec<UserId>,
    /// Whether somebody still waits for the answer.
    pub caller: Caller,
    /// The challenge of the code that the browser asked for to sign up.
    pub sign_up_challenge: Option<ChallengeId>,
    /// The challenge of the code that the browser asked for to get back in.
    pub reset_challenge: Option<ChallengeId>,
}

/// An account with the tokens of a living session.
#[derive(Debug)]
pub struct SignedIn {
    /// The account.
    pub account: Account,
    /// For the `Authorization` header.
    pub access: AccessToken,
    /// Seconds for which it is good.
    pub expires_in: u64,
    /// For the cookie.
    pub refresh: RefreshToken,
    /// Seconds for which the cookie is good.
    pub refresh_expires_in: u64,
    /// Whether the session rotates; if it does not, its token stays the same until the session ends.
    pub rotates: bool,
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

/// How the token of a new session travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// In the cookie alone; the session rotates.
    Cookie,
    /// In the body as well, where `BODY_REFRESH` lets it, and with `static` it stays the same.
    CookieAndBody,
}

/// Returns whether a session is alive; for refusals that come before any update has looked.
pub async fn is_alive(app: &App, session: SessionRef) -> Result<bool, StoreError> {
    app.store.users.is_alive(session).await
}

/// A new session that isn't stored yet.
pub fn begin(app: &App, origin: &Origin, role: Role, carrier: Carrier, now: Timestamp) -> SessionDoc {
    let is_static = carrier == Carrier::CookieAndBody && may_be_static(app, role);
    SessionDoc {
        id: SessionId::new(),
        counter: if is_static { STATIC_COUNTER } else { 0 },
        rotated_at: None,
        predecessor: None,
        presented: false,
        device: origin.device.chars().take(DEVICE_CHARS).collect(),
        ip: origin.client.ip.to_string(),
        created_at: now,
        signed_in_at: now,
        last_used_at: now,
        expires_at: now.after(app.config.lifetimes.refresh),
    }
}

/// Whether sessions of this role may do without rotating: with `BODY_REFRESH=static`, customers' alone.
pub(super) fn may_be_static(app: &App, role: Role) -> bool {
    app.config.body_refresh == BodyRefresh::Static && role == Role::Customer
}

/// The tokens of a stored session.
pub fn tokens(app: &App, account: Account, session: &SessionDoc, now: Timestamp) -> SignedIn {
    let reference = SessionRef { user: account.id, session: session.id };
    let bearer = Bearer {
        session: reference,
        username: account.username.as_str(),
        phone_number: account.phone_number.as_ref().map(crate::values::phone::E164::as_str),
        role: account.role,
    };
    // No access token outlives its session.
    let end = session.created_at.after(app.config.lifetimes.session).min(session.expires_at);
    let expires = now.after(app.config.lifetimes.access).min(end);
    let access = app.access_tokens.sign(&bearer, now, expires);
    let claim = RefreshClaim { session: reference, counter: session.counter };
    SignedIn {
        account,
        access,
        expires_in: seconds_between(now, expires),
        refresh: RefreshToken::seal(&app.keys.refresh[0], claim),
        refresh_expires_in: seconds_between(now, session.expires_at),
        rotates: !claim.is_static(),
    }
}

fn seconds_between(now: Timestamp, then: Timestamp) -> u64 {
    u64::try_from(then.seconds() - now.seconds()).unwrap_or(0)
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
