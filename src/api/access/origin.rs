//! The origin of a call: its network address, its browser, and the web page that made it.

use std::sync::{Arc, OnceLock};

use poem::{
    FromRequest, Request, RequestBody,
    http::{HeaderValue, header},
};

use super::{
    app,
    cookies::{KNOWN_BROWSER_COOKIE, RESET_CHALLENGE_COOKIE, SIGN_UP_CHALLENGE_COOKIE, cookies, refresh_cookies},
};
use crate::{
    accounts::{
        hashing::CallerPresence,
        sessions::ClientContext,
        tokens::{
            refresh::RefreshToken,
            sealed::{open_challenge, open_known_browser},
        },
    },
    api::error::{ApiError, ErrorCode},
    values::net::{self, Client},
};

/// The origin of a call from any web page. For calls that a bearer token protects.
pub struct AnyOrigin(pub ClientContext);

/// The network address from which a call comes, as the outermost layer determined it.
#[derive(Clone, Copy)]
pub struct ClientAddress(pub Client);

/// The origin of a call that does not come from a page of a foreign origin: such calls are refused. For calls that
/// change something without a bearer token. Browsers send forms without a CORS preflight, so any page could make these
/// calls.
pub struct TrustedOrigin(pub ClientContext, pub SecondCookie);

/// A second cookie for an answer that sets one cookie already. The outermost layer adds it to the answer.
#[derive(Clone, Default)]
pub struct SecondCookie(Arc<OnceLock<HeaderValue>>);

impl SecondCookie {
    /// Adds `cookie` to the answer of this call. Only the first cookie counts. Text that is not a valid header is
    /// ignored.
    pub fn set(&self, cookie: &str) {
        if let Ok(line) = HeaderValue::from_str(cookie) {
            self.0.get_or_init(|| line);
        }
    }

    /// Returns the value for `Set-Cookie`, or `None` if no cookie was set.
    pub fn line(&self) -> Option<HeaderValue> {
        self.0.get().cloned()
    }
}

impl<'a> FromRequest<'a> for TrustedOrigin {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        refuse_foreign_origin(request)?;
        Ok(Self(origin(request)?, request.data::<SecondCookie>().cloned().unwrap_or_default()))
    }
}

impl<'a> FromRequest<'a> for ClientAddress {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        Ok(address(request)?)
    }
}

impl<'a> FromRequest<'a> for AnyOrigin {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        Ok(Self(origin(request)?))
    }
}

fn origin(request: &Request) -> Result<ClientContext, ApiError> {
    let (app, headers) = (app(request)?, request.headers());
    let agent = headers.get(header::USER_AGENT);
    let challenge = |name| cookies(headers, name).find_map(|text| open_challenge(&app.keys.otp, &text));
    let refresh = refresh_cookies(headers);
    let signed_in = refresh.iter().filter_map(|token| RefreshToken::open(&app.keys.refresh, token));
    let signed_in = signed_in.map(|claim| claim.session.user);
    let known = cookies(headers, KNOWN_BROWSER_COOKIE).filter_map(|text| open_known_browser(&app.keys.otp, &text));
    Ok(ClientContext {
        device: agent.map(|agent| String::from_utf8_lossy(agent.as_bytes()).into_owned()).unwrap_or_default(),
        client: address(request)?.0,
        known_users: signed_in.chain(known).collect(),
        caller: request.data::<CallerPresence>().cloned().unwrap_or_default(),
        sign_up_challenge: challenge(SIGN_UP_CHALLENGE_COOKIE),
        reset_challenge: challenge(RESET_CHALLENGE_COOKIE),
    })
}

fn address(request: &Request) -> Result<ClientAddress, ApiError> {
    request.data::<ClientAddress>().copied().ok_or_else(ApiError::internal)
}

/// Refuses calls from web pages of a foreign origin. Such a page must not use or set a cookie, send an SMS or end a
/// session of the person who visits it.
///
/// Browsers name the page's origin in `Origin`, or send `Sec-Fetch-Site`. A caller that sends neither is not a browser,
/// and has only its own cookies (OWASP CSRF Prevention Cheat Sheet; Fetch Metadata, section 2.2).
pub(super) fn refuse_foreign_origin(request: &Request) -> Result<(), ApiError> {
    let headers = request.headers();
    let is_allowed = match headers.get(header::ORIGIN) {
        Some(origin) => is_allowed(request, &origin.to_str().unwrap_or_default().to_lowercase())?,
        None => headers.get("sec-fetch-site").is_none_or(|site| site != "cross-site"),
    };
    if is_allowed { Ok(()) } else { Err(ApiError::new(ErrorCode::OriginNotAllowed, "origin not allowed")) }
}

/// Returns whether an origin is listed in `CORS_ALLOWED_ORIGINS` or is the server's own.
fn is_allowed(request: &Request, origin: &str) -> Result<bool, ApiError> {
    if app(request)?.config.cors_allowed_origins.iter().any(|listed| listed == origin) {
        return Ok(true);
    }
    // HTTP/2 requests have an authority in place of the `Host` header.
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| request.uri().authority().map(|authority| authority.as_str())).unwrap_or_default();
    Ok(origin.split_once("://").is_some_and(|(scheme, authority)| {
        !host.is_empty()
            && net::without_default_port(scheme, authority) == net::without_default_port(scheme, &host.to_lowercase())
    }))
}
