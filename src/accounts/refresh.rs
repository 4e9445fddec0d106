//! Refreshing a session (U1): who brings which token, and what becomes of the session.

use super::{
    sessions::{SignedIn, may_be_static, tokens},
    store::{Refreshable, Rotation, SessionDoc, Turn},
    tokens::refresh::{RefreshClaim, RefreshToken},
};
use crate::{
    app::App,
    audits::store::AuditDoc,
    config::BodyRefresh,
    db::StoreError,
    mail::{self, kind::MailKind},
    values::time::Timestamp,
};

/// A refresh that lost a race reads and tries again; each round somebody else's refresh succeeded.
const ROUNDS: usize = 10;
/// How often the use of a session that does not rotate is noted, in milliseconds.
const NOTED_EVERY: i64 = 60 * 60 * 1000;

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

/// Hands out the next tokens for the refresh tokens of the cookies. Of several the first that is still good counts.
pub async fn by_cookies(app: &App, tokens: &[String]) -> Result<SignedIn, RefreshError> {
    let claims = newest_claims(app, tokens);
    let mut refusal = if tokens.is_empty() { RefreshError::Required } else { RefreshError::Invalid };
    for claim in claims {
        match refresh(app, claim).await {
            Err(RefreshError::Store(error)) => return Err(error.into()),
            Err(refused) => refusal = refused,
            signed_in => return signed_in,
        }
    }
    Err(refusal)
}

/// Hands out the next tokens for a refresh token that came in a body, or for the cookies where it may not travel so. Without
/// `BODY_REFRESH=rotating` only the token of a session that does not rotate may: the next one of any other session could not
/// be handed out.
pub async fn by_body(app: &App, token: &str, cookies: &[String]) -> Result<SignedIn, RefreshError> {
    let claim = RefreshToken::open(&app.keys.refresh, token);
    match (claim, app.config.body_refresh) {
        (Some(claim), _) if claim.is_static() => refresh_static(app, claim).await,
        (Some(claim), BodyRefresh::Rotating) => refresh_rotating(app, claim).await,
        (None, BodyRefresh::Rotating | BodyRefresh::Static) => Err(RefreshError::Invalid),
        (Some(_), BodyRefresh::Static) | (_, BodyRefresh::Off) => by_cookies(app, cookies).await,
    }
}

/// What the genuine ones of the tokens say; of two for the same session only the newer, so that a browser which also
/// sends an old cookie isn't taken for a thief.
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
    for _ in 0..ROUNDS {
        let now = app.clock.now();
        let times = rotation(app, now);
        if let Some(rotated) = app.store.users.rotate(claim, times).await? {
            return Ok(tokens(app, rotated.account, &rotated.session, now));
        }
        let current = app.store.users.refreshable(claim.session).await?.ok_or(RefreshError::Revoked)?;
        let turned = match judge(claim.counter, &current.session, times) {
            Verdict::Current => Some(current),
            Verdict::Turn(turn) => app.store.users.turn(&current, turn, times).await?,
            Verdict::TryAgain => None,
            Verdict::Expired => return Err(RefreshError::Invalid),
            Verdict::Theft => return Err(end_stolen(app, claim).await?),
        };
        if let Some(Refreshable { account, session }) = turned {
            return Ok(tokens(app, account, &session, now));
        }
    }
    Err(RefreshError::Invalid)
}

/// A session that does not rotate lives while the server lets it: with another `BODY_REFRESH`, or once its account runs
/// the shop, it ends.
async fn refresh_static(app: &App, claim: RefreshClaim) -> Result<SignedIn, RefreshError> {
    let now = app.clock.now();
    let times = rotation(app, now);
    let current = app.store.users.refreshable(claim.session).await?.ok_or(RefreshError::Revoked)?;
    if is_over(&current.session, times) {
        return Err(RefreshError::Invalid);
    }
    if current.session.counter != claim.counter || !may_be_static(app, current.account.role) {
        app.store.users.end_session(claim.session).await?;
        return Err(RefreshError::Revoked);
    }
    if now.millis() - current.session.last_used_at.millis() >= NOTED_EVERY {
        app.store.users.turn(&current, Turn::Used, times).await?;
    }
    Ok(tokens(app, current.account, &current.session, now))
}

/// What a token that did not rotate means.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// Hand out the session's current token once more.
    Current,
    /// Change the session and hand out the token that it has then.
    Turn(Turn),
    /// Somebody changed the session in between.
    TryAgain,
    /// The session is past its time.
    Expired,
    /// A token that was replaced, and whose successor is in use: somebody has a copy.
    Theft,
}

/// Decides by the counter *n* of a token about a session at counter *c*, whose token was made from that with counter *p*.
///
/// | token | answer |
/// |---|---|
/// | *n* = *c*, within the window | token *c*; the first time it is noted that *c* has come back |
/// | *n* = *p*, within the window | token *c*: tabs that refresh at once |
/// | *n* = *p*, later, and *c* never came back | token *c* + 1: the answer with *c* was lost, *c* is dead |
/// | *n* = *c* − 1, within the window of such a rescue | token *c*: tabs that wake at once |
/// | any other *n* < *c* | theft |
fn judge(n: u32, session: &SessionDoc, times: Rotation) -> Verdict {
    let (c, p) = (session.counter, session.predecessor());
    let in_window = session.rotated_at.is_some_and(|at| at > times.now.before(times.grace));
    if is_over(session, times) || n > c {
        return Verdict::Expired;
    }
    if n == c {
        return match (in_window, session.presented) {
            (true, true) => Verdict::Current,
            (true, false) => Verdict::Turn(Turn::Presented),
            // The rotation that should have taken place found another state.
            (false, _) => Verdict::TryAgain,
        };
    }
    match (p == Some(n), in_window) {
        (true, true) => Verdict::Current,
        (true, false) if !session.presented => Verdict::Turn(Turn::Next { predecessor: n }),
        (false, true) if n + 1 == c => Verdict::Current,
        _ => Verdict::Theft,
    }
}

fn is_over(session: &SessionDoc, times: Rotation) -> bool {
    session.expires_at <= times.now || session.created_at <= times.now.before(times.session)
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
