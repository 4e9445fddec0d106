//! Who may call: argument types that refuse everybody else and hand over whom they let in.
//! A handler that takes none of them is public.

mod bearer;
mod cookies;
mod origin;

use std::sync::Arc;

use poem::{Request, RequestBody, http::header};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaSecurityScheme, Registry},
};

pub use self::{
    bearer::{BearerNotice, is_signed, notice_bad_bearer},
    cookies::{KNOWN_BROWSER_COOKIE, REFRESH_COOKIE, RESET_CHALLENGE_COOKIE, SIGN_UP_CHALLENGE_COOKIE},
    origin::{AnyOrigin, ClientAddress, SecondCookie, TrustedOrigin},
};
use self::{
    bearer::{account, author, bearer, brings_bearer, member, session},
    cookies::refresh_cookies,
    origin::refuse_foreign_origin,
};
use super::error::{ApiError, ErrorCode};
use crate::{
    accounts::{store::Account, tokens::access::InvalidAccessToken},
    app::App,
    values::{
        author::Author,
        ids::{SessionRef, UserId},
        role::Role,
    },
};

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

/// Anybody. Staff see what is hidden; a bad bearer is nobody's, and the answer says so ([`BearerNotice`]).
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

/// The id of a request, as the outermost layer chose it.
#[derive(Clone)]
pub struct RequestId(pub Arc<str>);

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
        if !brings_bearer(request) {
            return Ok(Self { is_staff: false });
        }
        let member = bearer::found_or_public(request).await?;
        Ok(Self { is_staff: member.is_some_and(|member| member.role.is_staff()) })
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
