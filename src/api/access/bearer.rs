//! The access token of a call.

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
    accounts::{
        store::{Account, Member},
        tokens::access::InvalidAccessToken,
    },
    api::error::{ApiError, ErrorCode},
    app::App,
    db::StoreError,
    values::{author::Author, ids::SessionRef},
};

/// Whether a public call came with a bearer that is no good. Such a call is answered as nobody's; the outermost layer then
/// adds `WWW-Authenticate` (RFC 6750, section 3.1), so that clients learn that their token is invalid.
#[derive(Clone, Default)]
pub struct BearerNotice(Arc<AtomicBool>);

impl BearerNotice {
    fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the bearer is no good.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Looks at a bearer that its call doesn't need. Where the database can't tell, nothing is said; but staff are shown no
/// copy that may be old, so their calls fail then.
pub async fn notice_bad_bearer(request: &Request) -> Result<(), ApiError> {
    found_or_public(request).await.map(drop)
}

/// Like [`found`], but while the database is away callers whose token wasn't signed for staff are nobody.
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

/// Who is behind the bearer of a public call; `None`, and a notice, when it is no good.
async fn found(request: &Request) -> Result<Option<Member>, StoreError> {
    let found = match (app(request), session(request)) {
        (Ok(app), Ok(session)) => app.store.users.member(session).await?,
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
    app(request)?.store.users.member(session(request)?).await?.ok_or(InvalidAccessToken.into())
}

pub(super) async fn account(request: &Request, session: SessionRef) -> Result<Account, ApiError> {
    app(request)?.store.users.account(session).await?.ok_or(InvalidAccessToken.into())
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

/// The token behind `Bearer` (RFC 6750, section 2.1), whose name is read in any case (RFC 9110, section 11.1).
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    token_in(headers.get(header::AUTHORIZATION)?)
}

/// Whether an `Authorization` holds a token of ours that has not expired. Its session is not looked up.
pub fn is_signed(app: &App, authorization: &HeaderValue) -> bool {
    token_in(authorization).is_some_and(|token| app.access_tokens.check(token, app.clock.now()).is_ok())
}

fn token_in(authorization: &HeaderValue) -> Option<&str> {
    let (scheme, token) = authorization.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
