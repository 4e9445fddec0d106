//! The access token of a call, from its header `Authorization: Bearer`.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use poem::{
    Request,
    http::{HeaderMap, HeaderValue, header},
};

use super::{RequestId, app};
use crate::{
    accounts::{Account, Member, sessions, tokens::access::InvalidAccessToken},
    api::error::{ApiError, ErrorCode},
    app::App,
    db::StoreError,
    values::{author::Author, ids::SessionRef},
};

/// A flag that is set when a public call brings an invalid bearer token. Such a call is answered as if it had no token.
/// The outermost layer then adds `WWW-Authenticate` (RFC 6750, section 3.1), so that the client learns that its token
/// is invalid.
#[derive(Clone, Default)]
pub struct BearerNotice(Arc<AtomicBool>);

impl BearerNotice {
    fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Returns whether the call brought an invalid bearer token.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Checks the bearer token of a call that does not need one, and sets [`BearerNotice`] if the token is invalid.
///
/// While the database can't be reached, the token can't be checked. A token that was signed for staff then makes the
/// call fail, because staff must not see a copy that may be old. Any other token is ignored, and no notice is set.
pub async fn notice_bad_bearer(request: &Request) -> Result<(), ApiError> {
    found_or_public(request).await.map(drop)
}

/// Like [`found`], but returns `None` while the database can't be reached, unless the token was signed for staff. A
/// token for staff then fails.
pub(super) async fn found_or_public(request: &Request) -> Result<Option<Member>, ApiError> {
    let store = &app(request)?.store;
    let found = match store.require_primary() {
        Ok(()) => found(request).await,
        Err(gone) => Err(gone),
    };
    match found {
        Err(StoreError::Unavailable(_)) if !is_signed_for_staff(request)? => Ok(None),
        found => Ok(found?),
    }
}

fn is_signed_for_staff(request: &Request) -> Result<bool, ApiError> {
    let app = app(request)?;
    let role = bearer(request.headers()).map(|token| app.access_tokens.signed_role(token, app.clock.now()));
    Ok(matches!(role, Some(Ok(role)) if role.is_staff()))
}

/// Returns the account of the bearer token of a public call. If the token is invalid, sets [`BearerNotice`] and returns
/// `None`.
async fn found(request: &Request) -> Result<Option<Member>, StoreError> {
    let found = match (app(request), session(request)) {
        (Ok(app), Ok(session)) => sessions::member(app, session).await?,
        _ => None,
    };
    if found.is_none()
        && let Some(notice) = request.data::<BearerNotice>()
    {
        notice.set();
    }
    Ok(found)
}

pub(super) fn author(request: &Request, member: Member) -> Result<Author, ApiError> {
    let request_id = request.data::<RequestId>().ok_or_else(ApiError::internal)?.0.to_string();
    Ok(Author { user_id: member.id, username: member.username.to_string(), request_id })
}

pub(super) async fn member(request: &Request) -> Result<Member, ApiError> {
    sessions::member(app(request)?, session(request)?).await?.ok_or(InvalidAccessToken.into())
}

pub(super) async fn account(request: &Request, session: SessionRef) -> Result<Account, ApiError> {
    sessions::account(app(request)?, session).await?.ok_or(InvalidAccessToken.into())
}

pub(super) fn brings_bearer(request: &Request) -> bool {
    request.headers().contains_key(header::AUTHORIZATION)
}

pub(super) fn session(request: &Request) -> Result<SessionRef, ApiError> {
    if !brings_bearer(request) {
        return Err(ApiError::new(ErrorCode::AuthorizationMissing, "authorization header missing"));
    }
    let app = app(request)?;
    let token = bearer(request.headers()).ok_or(InvalidAccessToken)?;
    Ok(app.access_tokens.check(token, app.clock.now())?)
}

/// Returns the token of a header `Authorization: Bearer …` (RFC 6750, section 2.1). The word `Bearer` may be in any
/// case (RFC 9110, section 11.1).
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    token_in(headers.get(header::AUTHORIZATION)?)
}

/// Returns whether an `Authorization` header holds an access token that we signed and that has not expired. Does not
/// ask the database whether the session is still alive.
pub fn is_signed(app: &App, authorization: &HeaderValue) -> bool {
    token_in(authorization).is_some_and(|token| app.access_tokens.check(token, app.clock.now()).is_ok())
}

fn token_in(authorization: &HeaderValue) -> Option<&str> {
    let (scheme, token) = authorization.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
