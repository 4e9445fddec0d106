//! Refreshing a session (update U1 in `docs/architecture.md`): which tokens are accepted, and what happens to the
//! session.

use super::{
    letters,
    sessions::{SignedIn, may_be_static, tokens},
    store::{Refreshable, RotationTimes, SessionChange, SessionDoc},
    tokens::refresh::{RefreshClaim, RefreshToken},
};
use crate::{
    app::App,
    audits::{self, AuditDoc},
    config::BodyRefresh,
    db::StoreError,
    mail::kind::MailKind,
    values::time::Timestamp,
};

/// The maximum number of attempts of one refresh. An attempt fails only when another refresh of the same session
/// succeeds in between.
const ATTEMPTS: usize = 10;
/// The shortest time between two updates of `last_used_at` for a session that does not rotate, in milliseconds.
const NOTE_USE_EVERY_MILLIS: i64 = 60 * 60 * 1000;

/// The reason why a session is not refreshed.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// The request holds no refresh token.
    #[error("refresh token required")]
    Required,
    /// The token was not made by this shop, or its session has expired.
    #[error("invalid or expired refresh token")]
    Invalid,
    /// The session of the token was ended, or its account was disabled.
    #[error("refresh token has been revoked")]
    Revoked,
    /// The database call failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Returns new tokens for the refresh tokens of the cookies. If there are several, the first that is accepted counts.
pub async fn by_cookies(app: &App, tokens: &[String]) -> Result<SignedIn, RefreshError> {
    let claims = newest_claims(app, tokens);
    let mut refusal = if tokens.is_empty() { RefreshError::Required } else { RefreshError::Invalid };
    for claim in claims {
        match refresh(app, claim).await {
            Ok(signed_in) => return Ok(signed_in),
            Err(RefreshError::Store(error)) => return Err(error.into()),
            Err(error) => refusal = error,
        }
    }
    Err(refusal)
}

/// Returns new tokens for a refresh token that was sent in a request body. Where `BODY_REFRESH` does not allow this,
/// the token is ignored and the cookies count:
///
/// | `BODY_REFRESH` | token of a session that does not rotate | token of a session that rotates | not our token |
/// |---|---|---|---|
/// | `rotating` | used | used | [`RefreshError::Invalid`] |
/// | `static` | used | cookies count | [`RefreshError::Invalid`] |
/// | `off` | used | cookies count | cookies count |
///
/// With `rotating` and `off`, using the token of a session that does not rotate ends that session. A rotating token is
/// ignored unless the setting is `rotating`, because the answer could not carry the next token in its body.
pub async fn by_body(app: &App, token: &str, cookies: &[String]) -> Result<SignedIn, RefreshError> {
    let claim = RefreshToken::open(&app.keys.refresh, token);
    match (claim, app.config.body_refresh) {
        (Some(claim), _) if claim.is_static() => refresh_static(app, claim).await,
        (Some(claim), BodyRefresh::Rotating) => refresh_rotating(app, claim).await,
        (None, BodyRefresh::Rotating | BodyRefresh::Static) => Err(RefreshError::Invalid),
        (Some(_), BodyRefresh::Static) | (_, BodyRefresh::Off) => by_cookies(app, cookies).await,
    }
}

/// Returns what the genuine ones among the tokens say. Of several tokens of one session only the newest is kept, so
/// that a browser that also sends an old cookie does not look like a thief.
pub(super) fn newest_claims(app: &App, tokens: &[String]) -> Vec<RefreshClaim> {
    let mut claims: Vec<RefreshClaim> = Vec::new();
    for claim in tokens.iter().filter_map(|token| RefreshToken::open(&app.keys.refresh, token)) {
        match claims.iter_mut().find(|known| known.session == claim.session) {
            Some(known) => known.counter = known.counter.max(claim.counter),
            None => claims.push(claim),
        }
    }
    claims
}

async fn refresh(app: &App, claim: RefreshClaim) -> Result<SignedIn, RefreshError> {
    if claim.is_static() { refresh_static(app, claim).await } else { refresh_rotating(app, claim).await }
}

async fn refresh_rotating(app: &App, claim: RefreshClaim) -> Result<SignedIn, RefreshError> {
    for _ in 0..ATTEMPTS {
        let now = app.clock.now();
        let times = rotation_times(app, now);
        if let Some(rotated) = app.store.users.rotate(claim, times).await? {
            return Ok(tokens(app, rotated.account, &rotated.session, now));
        }
        let current = app.store.users.refreshable(claim.session).await?.ok_or(RefreshError::Revoked)?;
        let refreshed = match judge(claim.counter, &current.session, times) {
            Verdict::RepeatCurrent => Some(current),
            Verdict::Change(change) => app.store.users.change_session(&current, change, times).await?,
            Verdict::TryAgain => None,
            Verdict::Expired => return Err(RefreshError::Invalid),
            Verdict::Theft => {
                end_stolen(app, claim).await?;
                return Err(RefreshError::Revoked);
            }
        };
        if let Some(Refreshable { account, session }) = refreshed {
            return Ok(tokens(app, account, &session, now));
        }
    }
    Err(RefreshError::Invalid)
}

/// Returns a new access token and the same refresh token for a session that does not rotate. The session ends here if
/// `BODY_REFRESH` is not `static` any more, or if its owner has become staff or an admin.
async fn refresh_static(app: &App, claim: RefreshClaim) -> Result<SignedIn, RefreshError> {
    let now = app.clock.now();
    let times = rotation_times(app, now);
    let current = app.store.users.refreshable(claim.session).await?.ok_or(RefreshError::Revoked)?;
    if has_expired(&current.session, times) {
        return Err(RefreshError::Invalid);
    }
    if current.session.counter != claim.counter || !may_be_static(app, current.account.role) {
        app.store.users.end_session(claim.session).await?;
        return Err(RefreshError::Revoked);
    }
    if now.millis() - current.session.last_used_at.millis() >= NOTE_USE_EVERY_MILLIS {
        app.store.users.change_session(&current, SessionChange::Used, times).await?;
    }
    Ok(tokens(app, current.account, &current.session, now))
}

/// What to do with a token that did not lead to an ordinary rotation.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// Return the current token of the session again.
    RepeatCurrent,
    /// Change the session, and return the token that it has after the change.
    Change(SessionChange),
    /// Another request has changed the session in between.
    TryAgain,
    /// The session has expired, or the token is newer than the session.
    Expired,
    /// The token was replaced, and its successor is already in use. So the token is a copy.
    Theft,
}

/// Decides what to do with the token with counter `sent`, for which [`Users::rotate`] did nothing.
///
/// Each token has a counter. `current` is the counter of the current token of the session, and `predecessor` that of
/// the token which it was made from. The window is the time `grace` after the last rotation. An example in which an
/// answer is lost:
///
/// | time | event | `predecessor` | `current` |
/// |---|---|---|---|
/// | 0 s | the browser refreshes with token 4; the answer with token 5 is lost | 4 | 5 |
/// | 60 s | the browser only has token 4 and refreshes again: it gets token 6, and token 5 is dead | 4 | 6 |
/// | 65 s | the browser refreshes with token 6 and gets it again; the session notes that 6 has come back | 4 | 6 |
/// | 120 s | somebody refreshes with token 4 or 5: this must be a copy, and the session ends | | |
///
/// The whole rule, of which the first line that fits counts:
///
/// | `sent` | within the window | after the window |
/// |---|---|---|
/// | any, if the session has expired | refused | refused |
/// | above `current` | refused | refused |
/// | `current` | the current token; the first time, the session notes that it has come back | try again (1) |
/// | `predecessor`, and the current token has come back | the current token (2) | theft |
/// | `predecessor`, and the current token has not come back | the current token (2) | a new token (3) |
/// | `current` − 1 | the current token (4) | theft |
/// | any other | theft | theft |
///
/// 1. `rotate` would have made a new token, so another request has changed the session in between.
/// 2. Several tabs refresh at the same time.
/// 3. The answer with the current token was lost. The new token has the counter `current` + 1 and the same predecessor.
/// 4. After a lost answer, a tab that did get it refreshes.
///
/// [`Users::rotate`]: super::store::Users::rotate
fn judge(sent: u32, session: &SessionDoc, times: RotationTimes) -> Verdict {
    let current = session.counter;
    if has_expired(session, times) || sent > current {
        return Verdict::Expired;
    }
    let in_window = session.rotated_at.is_some_and(|at| at > times.now.before(times.grace));
    if sent == current {
        return match in_window {
            true if session.presented => Verdict::RepeatCurrent,
            true => Verdict::Change(SessionChange::Presented),
            false => Verdict::TryAgain,
        };
    }
    let is_predecessor = session.predecessor() == Some(sent);
    if in_window && (is_predecessor || sent + 1 == current) {
        return Verdict::RepeatCurrent;
    }
    if !in_window && is_predecessor && !session.presented {
        return Verdict::Change(SessionChange::Next { predecessor: sent });
    }
    Verdict::Theft
}

fn has_expired(session: &SessionDoc, times: RotationTimes) -> bool {
    session.expires_at <= times.now || session.created_at <= times.now.before(times.session)
}

/// Ends a session because an old token (`claim`) was used. Writes an audit entry and queues a mail to the owner.
async fn end_stolen(app: &App, claim: RefreshClaim) -> Result<(), StoreError> {
    if app.store.users.end_stolen(claim).await? {
        let (user, session) = (claim.session.user, claim.session.session);
        let audit = AuditDoc::session_stolen(claim.session, &app.trail(None));
        audits::record(app, audit).await?;
        tracing::warn!(%user, %session, "an old refresh token was used: session ended as stolen");
        if let Some(account) = app.store.users.active_account(user).await? {
            letters::notify(app, &account, MailKind::SessionStolen).await;
        }
    }
    Ok(())
}

fn rotation_times(app: &App, now: Timestamp) -> RotationTimes {
    let lifetimes = app.config.lifetimes;
    RotationTimes { now, grace: lifetimes.grace, refresh: lifetimes.refresh, session: lifetimes.session }
}
