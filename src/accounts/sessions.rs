//! Sessions: beginning them at a sign-in, and ending them at a logout. Refreshing them is in `refresh.rs`.

use super::{
    hashing::CallerPresence,
    refresh::newest_claims,
    store::{Account, Member, SessionDoc},
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
        phone::E164,
        role::Role,
        time::Timestamp,
    },
};

/// The maximum length of the stored `User-Agent`, in characters. The rest is cut off.
const DEVICE_CHARS: usize = 200;

/// What is known of the caller of a request.
#[derive(Debug, Clone)]
pub struct ClientContext {
    /// The browser or app, as its `User-Agent` header says. Empty without one.
    pub device: String,
    /// The IP address.
    pub client: Client,
    /// The accounts that the browser was once signed in to. A genuine refresh cookie shows this, even if its session
    /// has ended, and so does the cookie of a known browser.
    pub known_users: Vec<UserId>,
    /// Tells whether the caller still waits for the answer.
    pub caller: CallerPresence,
    /// The challenge of the code that the browser asked for at a sign-up.
    pub sign_up_challenge: Option<ChallengeId>,
    /// The challenge of the code that the browser asked for to reset a password.
    pub reset_challenge: Option<ChallengeId>,
}

/// An account with the tokens of one of its sessions.
#[derive(Debug)]
pub struct SignedIn {
    /// The account.
    pub account: Account,
    /// The token for the `Authorization` header.
    pub access: AccessToken,
    /// The number of seconds until the access token expires.
    pub expires_in: u64,
    /// The refresh token for the cookie.
    pub refresh: RefreshToken,
    /// The number of seconds until the session can't be refreshed any more. The cookie lives as long.
    pub refresh_expires_in: u64,
    /// Whether the session rotates. If not, its refresh token stays the same until the session ends.
    pub rotates: bool,
}

/// The reason why a logout ends nothing.
#[derive(Debug, thiserror::Error)]
pub enum LogoutError {
    /// The request holds neither an access token nor a refresh token.
    #[error("refresh and access tokens required")]
    Required,
    /// No refresh cookie is genuine, and the access token is missing, not valid, or of a session that has ended
    /// already.
    #[error("invalid or expired access token")]
    Invalid,
    /// The database call failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How the refresh token of a new session reaches the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// Only in the cookie. The session rotates.
    Cookie,
    /// In the cookie and, if `BODY_REFRESH` allows it, also in the body. With `static` the sessions of customers do not
    /// rotate.
    CookieAndBody,
}

/// Returns the id, name and role of the account of a session; `None` when the session is not alive.
pub async fn member(app: &App, session: SessionRef) -> Result<Option<Member>, StoreError> {
    app.store.users.member(session).await
}

/// Returns the account of a session; `None` when the session is not alive.
pub async fn account(app: &App, session: SessionRef) -> Result<Option<Account>, StoreError> {
    app.store.users.account(session).await
}

/// Returns whether a session is alive. For requests that are refused before any update has checked this.
pub async fn is_alive(app: &App, session: SessionRef) -> Result<bool, StoreError> {
    app.store.users.is_alive(session).await
}

/// Makes a new session, which the caller has to store.
pub fn begin(app: &App, context: &ClientContext, role: Role, carrier: Carrier, now: Timestamp) -> SessionDoc {
    let is_static = carrier == Carrier::CookieAndBody && may_be_static(app, role);
    SessionDoc {
        id: SessionId::new(),
        counter: if is_static { STATIC_COUNTER } else { 0 },
        rotated_at: None,
        predecessor: None,
        presented: false,
        device: context.device.chars().take(DEVICE_CHARS).collect(),
        ip: context.client.ip.to_string(),
        created_at: now,
        signed_in_at: now,
        last_used_at: now,
        expires_at: now.after(app.config.lifetimes.refresh),
    }
}

/// Returns whether sessions of this role may do without rotation. With `BODY_REFRESH=static` those of customers may.
pub(super) fn may_be_static(app: &App, role: Role) -> bool {
    app.config.body_refresh == BodyRefresh::Static && role == Role::Customer
}

/// Makes the tokens of a stored session.
pub fn tokens(app: &App, account: Account, session: &SessionDoc, now: Timestamp) -> SignedIn {
    let reference = SessionRef { user: account.id, session: session.id };
    let bearer = Bearer {
        session: reference,
        username: account.username.as_str(),
        phone_number: account.phone_number.as_ref().map(E164::as_str),
        role: account.role,
    };
    // No access token outlives its session.
    let session_end = session.created_at.after(app.config.lifetimes.session).min(session.expires_at);
    let expires_at = now.after(app.config.lifetimes.access).min(session_end);
    let access = app.access_tokens.sign(&bearer, now, expires_at);
    let claim = RefreshClaim { session: reference, counter: session.counter };
    SignedIn {
        account,
        access,
        expires_in: seconds_between(now, expires_at),
        refresh: RefreshToken::seal(&app.keys.refresh[0], claim),
        refresh_expires_in: seconds_between(now, session.expires_at),
        rotates: !claim.is_static(),
    }
}

fn seconds_between(now: Timestamp, then: Timestamp) -> u64 {
    u64::try_from(then.seconds() - now.seconds()).unwrap_or(0)
}

/// Ends the sessions of an access token and of the refresh cookies. If the access token is valid, cookies of other
/// accounts are ignored. Succeeds if at least one cookie is genuine, even if its session has ended before.
pub async fn logout(app: &App, bearer: Option<&str>, cookies: &[String]) -> Result<(), LogoutError> {
    if bearer.is_none() && cookies.is_empty() {
        return Err(LogoutError::Required);
    }
    let signed_in = bearer.and_then(|token| app.access_tokens.check(token, app.clock.now()).ok());
    let mut sessions: Vec<SessionRef> = newest_claims(app, cookies).into_iter().map(|claim| claim.session).collect();
    let has_genuine_cookie = !sessions.is_empty();
    sessions.retain(|session| signed_in.is_none_or(|own| own.user == session.user));
    sessions.extend(signed_in.filter(|own| !sessions.contains(own)));
    let mut any_ended = false;
    for session in sessions {
        any_ended |= app.store.users.end_session(session).await?;
    }
    if has_genuine_cookie || any_ended { Ok(()) } else { Err(LogoutError::Invalid) }
}
