//! Who may call: argument types that refuse everybody else and hand over whom they let in.
//! A handler that takes none of them is public.

use std::{net::IpAddr, sync::Arc};

use poem::{
    FromRequest, Request, RequestBody,
    http::{HeaderMap, header},
};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaSecurityScheme, Registry},
};

use crate::{
    app::App,
    domain::{
        author::Author,
        ids::{SessionRef, UserId},
        net,
        role::Role,
        tokens::{access::InvalidAccessToken, refresh::RefreshToken, sealed::open_challenge},
    },
    error::{ApiError, ErrorCode},
    services::{hashing::Caller, sessions::Origin},
    store::users::{Account, Member},
};

/// The cookie that carries the refresh token.
pub const REFRESH_COOKIE: &str = "refresh_token";
/// The cookie that binds a browser to the code it asked for.
pub const CHALLENGE_COOKIE: &str = "otp_challenge";
/// More cookies of the name than this come from no browser.
const MAX_COOKIES: usize = 4;
const BEARER_SCHEME: &str = "AccessToken";
const COOKIE_SCHEME: &str = "RefreshCookie";

/// Anybody with a living session; the account was loaded to see that it lives.
pub struct Customer {
    /// The account.
    pub account: Account,
    /// The session.
    pub session: SessionRef,
}

/// A customer who may run the catalogue; whoever writes is named in the audits.
pub struct Staff {
    /// Who they are, to the audits.
    pub author: Author,
    /// Staff, or admin.
    pub role: Role,
}

/// A customer who may run the accounts; whatever they do there is told of in the audits.
pub struct Admin {
    /// Who they are, to the audits.
    pub author: Author,
}

impl Staff {
    /// Whether they may see the personal data of an account: their own, and as an admin everybody's.
    pub fn may_see(&self, user: UserId) -> bool {
        self.role == Role::Admin || self.author.user_id == user
    }
}

/// Anybody; whoever sends a bearer must be signed in with it.
pub struct MaybeCustomer(pub Option<Customer>);

/// Anybody; whoever sends a bearer must be signed in with it. Staff see what is hidden.
pub struct Viewer {
    /// Whether the caller is staff.
    pub is_staff: bool,
}

/// The owner of `{user_id}` in the path. Only the token was checked: the query that follows must sign the caller in,
/// which saves a round trip.
pub struct PathOwner(pub SessionRef);

/// What a logout may bring: a bearer, the cookie, or both, none of them checked yet.
pub struct LogoutTokens {
    /// The text behind `Bearer`, or any other `Authorization`, which then is no good token.
    pub bearer: Option<String>,
    /// The refresh tokens of all cookies of the name: after a change of `COOKIE_DOMAIN` a browser sends two.
    pub cookies: Vec<String>,
}

/// The refresh tokens of all cookies of the name, not checked yet; only pages of allowed origins get this far.
pub struct RefreshCookie(pub Vec<String>);

/// Where a call comes from, whatever page made it: for calls that a bearer protects.
pub struct AnyOrigin(pub Origin);

/// The address a call comes from, as the outermost layer found it.
#[derive(Clone, Copy)]
pub struct ClientAddress(pub IpAddr);

/// The id of a request, as the outermost layer chose it.
#[derive(Clone)]
pub struct RequestId(pub Arc<str>);

/// Where a call comes from; only pages of allowed origins get this far, since the answer sets the cookie.
pub struct TrustedOrigin(pub Origin);

impl From<InvalidAccessToken> for ApiError {
    fn from(error: InvalidAccessToken) -> Self {
        Self::new(ErrorCode::InvalidAccessToken, error.to_string())
    }
}

/// How one of these arguments decides.
trait Access: Sized {
    /// What the spec asks callers to send: one of these.
    const SCHEMES: &'static [&'static str];

    async fn check(request: &Request) -> Result<Self, ApiError>;
}

impl Access for Customer {
    const SCHEMES: &'static [&'static str] = &[BEARER_SCHEME];

    async fn check(request: &Request) -> Result<Self, ApiError> {
        let session = session(request)?;
        Ok(Self { account: account(request, session).await?, session })
    }
}

impl Access for Staff {
    const SCHEMES: &'static [&'static str] = &[BEARER_SCHEME];

    async fn check(request: &Request) -> Result<Self, ApiError> {
        let member = member(request).await?;
        if !member.role.is_staff() {
            return Err(ApiError::new(ErrorCode::RoleRequired, "staff only"));
        }
        Ok(Self { role: member.role, author: author(request, member)? })
    }
}

impl Access for Admin {
    const SCHEMES: &'static [&'static str] = &[BEARER_SCHEME];

    async fn check(request: &Request) -> Result<Self, ApiError> {
        let member = member(request).await?;
        if member.role != Role::Admin {
            return Err(ApiError::new(ErrorCode::RoleRequired, "admins only"));
        }
        Ok(Self { author: author(request, member)? })
    }
}

impl Access for MaybeCustomer {
    const SCHEMES: &'static [&'static str] = &[BEARER_SCHEME];

    async fn check(request: &Request) -> Result<Self, ApiError> {
        if !brings_bearer(request) {
            return Ok(Self(None));
        }
        Customer::check(request).await.map(|customer| Self(Some(customer)))
    }
}

impl Access for Viewer {
    const SCHEMES: &'static [&'static str] = &[BEARER_SCHEME];

    async fn check(request: &Request) -> Result<Self, ApiError> {
        let is_staff = brings_bearer(request) && member(request).await?.role.is_staff();
        Ok(Self { is_staff })
    }
}

impl Access for PathOwner {
    const SCHEMES: &'static [&'static str] = &[BEARER_SCHEME];

    async fn check(request: &Request) -> Result<Self, ApiError> {
        let session = session(request)?;
        // The router numbers parameters; the user is the first one of every path that is about one user.
        let named = request.raw_path_param("param0").and_then(|id| id.parse::<UserId>().ok());
        if named == Some(session.user) {
            Ok(Self(session))
        } else {
            Err(ApiError::new(ErrorCode::UserMismatch, "forbidden: user mismatch"))
        }
    }
}

impl Access for LogoutTokens {
    const SCHEMES: &'static [&'static str] = &[BEARER_SCHEME, COOKIE_SCHEME];

    async fn check(request: &Request) -> Result<Self, ApiError> {
        refuse_foreign_origin(request)?;
        let headers = request.headers();
        let bearer =
            headers.contains_key(header::AUTHORIZATION).then(|| bearer(headers).unwrap_or_default().to_owned());
        Ok(Self { bearer, cookies: refresh_cookies(headers) })
    }
}

impl Access for RefreshCookie {
    const SCHEMES: &'static [&'static str] = &[COOKIE_SCHEME];

    async fn check(request: &Request) -> Result<Self, ApiError> {
        refuse_foreign_origin(request)?;
        Ok(Self(refresh_cookies(request.headers())))
    }
}

macro_rules! security_arguments {
    ($($type:ty),+) => {$(
        impl<'a> ApiExtractor<'a> for $type {
            const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
            type ParamType = ();
            type ParamRawType = ();

            fn register(registry: &mut Registry) {
                register_schemes(registry);
            }

            fn security_schemes() -> Vec<&'static str> {
                Self::SCHEMES.to_vec()
            }

            async fn from_request(
                request: &'a Request,
                _: &mut RequestBody,
                _: ExtractParamOptions<()>,
            ) -> poem::Result<Self> {
                Ok(Self::check(request).await?)
            }
        }
    )+};
}

security_arguments!(Customer, MaybeCustomer, Viewer, Staff, Admin, PathOwner, LogoutTokens, RefreshCookie);

impl<'a> FromRequest<'a> for TrustedOrigin {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        refuse_foreign_origin(request)?;
        Ok(Self(origin(request)?))
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

fn origin(request: &Request) -> Result<Origin, ApiError> {
    let agent = request.headers().get(header::USER_AGENT);
    let device = agent.map(|agent| String::from_utf8_lossy(agent.as_bytes()).into_owned()).unwrap_or_default();
    let caller = request.data::<Caller>().cloned().unwrap_or_default();
    let (address, app) = (address(request)?.0, app(request)?);
    let challenges = cookies(request.headers(), CHALLENGE_COOKIE);
    let challenge = challenges.iter().find_map(|text| open_challenge(&app.keys.otp, text));
    let cookies = refresh_cookies(request.headers());
    let genuine = cookies.iter().filter_map(|token| RefreshToken::open(&app.keys.refresh, token));
    Ok(Origin { device, address, known_users: genuine.map(|claim| claim.session.user).collect(), caller, challenge })
}

fn address(request: &Request) -> Result<ClientAddress, ApiError> {
    request.data::<ClientAddress>().copied().ok_or_else(ApiError::internal)
}

fn author(request: &Request, member: Member) -> Result<Author, ApiError> {
    let request_id = request.data::<RequestId>().ok_or_else(ApiError::internal)?.0.to_string();
    Ok(Author { user_id: member.id, username: member.username.to_string(), request_id })
}

async fn member(request: &Request) -> Result<Member, ApiError> {
    app(request)?.store.users.member(session(request)?).await?.ok_or(InvalidAccessToken.into())
}

async fn account(request: &Request, session: SessionRef) -> Result<Account, ApiError> {
    app(request)?.store.users.account(session).await?.ok_or(InvalidAccessToken.into())
}

fn brings_bearer(request: &Request) -> bool {
    request.headers().contains_key(header::AUTHORIZATION)
}

fn session(request: &Request) -> Result<SessionRef, ApiError> {
    if !brings_bearer(request) {
        return Err(ApiError::new(ErrorCode::AuthorizationMissing, "authorization header missing"));
    }
    let app = app(request)?;
    let token = bearer(request.headers()).ok_or(InvalidAccessToken)?;
    Ok(app.access_tokens.check(token, app.clock.now())?)
}

/// The token behind `Bearer` (RFC 6750, section 2.1), whose name is read in any case (RFC 9110, section 11.1).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn refresh_cookies(headers: &HeaderMap) -> Vec<String> {
    cookies(headers, REFRESH_COOKIE)
}

fn cookies(headers: &HeaderMap, name: &str) -> Vec<String> {
    let lines = headers.get_all(header::COOKIE).into_iter().map(|line| String::from_utf8_lossy(line.as_bytes()));
    // Other cookies may hold any bytes: they must not take ours along.
    let cookies = lines.flat_map(|line| cookie::Cookie::split_parse(line.into_owned()).collect::<Vec<_>>());
    let ours = cookies.filter_map(Result::ok).filter(|cookie| cookie.name() == name);
    ours.map(|cookie| cookie.value().to_owned()).filter(|value| !value.is_empty()).take(MAX_COOKIES).collect()
}

/// Browsers say which page a call comes from. A page of another shop may not have the cookie used or set; a caller
/// that says nothing is no browser, and has no cookie but its own (OWASP CSRF Prevention Cheat Sheet).
fn refuse_foreign_origin(request: &Request) -> Result<(), ApiError> {
    let Some(origin) = request.headers().get(header::ORIGIN) else { return Ok(()) };
    let origin = origin.to_str().unwrap_or_default().to_lowercase();
    let listed = app(request)?.config.cors_allowed_origins.contains(&origin);
    // HTTP/2 has the authority in place of the header.
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| request.uri().authority().map(|authority| authority.as_str())).unwrap_or_default();
    let own = origin.split_once("://").is_some_and(|(scheme, authority)| {
        !host.is_empty()
            && net::without_default_port(scheme, authority) == net::without_default_port(scheme, &host.to_lowercase())
    });
    if listed || own { Ok(()) } else { Err(ApiError::new(ErrorCode::OriginNotAllowed, "origin not allowed")) }
}

fn app(request: &Request) -> Result<&Arc<App>, ApiError> {
    request.data::<Arc<App>>().ok_or_else(ApiError::internal)
}

fn register_schemes(registry: &mut Registry) {
    let scheme = |ty, description| MetaSecurityScheme {
        ty,
        description: Some(description),
        name: None,
        key_in: None,
        scheme: None,
        bearer_format: None,
        flows: None,
        openid_connect_url: None,
    };
    let bearer = scheme("http", "The `access` of a sign-in or refresh.");
    registry.create_security_scheme(
        BEARER_SCHEME,
        MetaSecurityScheme { scheme: Some("bearer"), bearer_format: Some("JWT"), ..bearer },
    );
    let cookie = scheme("apiKey", "Set by a sign-in and by each refresh; browsers send it by themselves.");
    registry.create_security_scheme(
        COOKIE_SCHEME,
        MetaSecurityScheme { name: Some(REFRESH_COOKIE), key_in: Some("cookie"), ..cookie },
    );
}
