//! Access control by argument types of handlers. Each type refuses callers who may not call, and hands over the caller
//! whom it lets in. A handler that takes none of them is public.

mod bearer;
mod cookies;
mod origin;
pub mod owner;

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
    owner::OwnerBody,
};
use self::{
    bearer::{account, author, bearer, brings_bearer, member, session},
    cookies::refresh_cookies,
    origin::refuse_foreign_origin,
};
use super::error::{ApiError, ErrorCode};
use crate::{
    accounts::{Account, tokens::access::InvalidAccessToken},
    app::App,
    values::{
        author::Author,
        ids::{SessionRef, UserId},
        role::Role,
    },
};

/// Stands among the security schemes of a call that nobody needs to sign in for. `http/description/security.rs` writes
/// it as the empty requirement of OpenAPI.
pub const NOBODY: &str = "Nobody";

const BEARER_SCHEME: &str = "AccessToken";
const COOKIE_SCHEME: &str = "RefreshCookie";

/// A caller with a living session. The check of the session has loaded the account, so a handler need not load it
/// again.
pub struct Customer {
    /// The account of the caller.
    pub account: Account,
    /// The session of the access token.
    pub session: SessionRef,
}

/// A caller who may manage the catalogue. The audits name the caller of every write.
pub struct Staff {
    /// The caller, as the audits name them.
    pub author: Author,
    /// [`Role::Staff`] or [`Role::Admin`].
    pub role: Role,
}

/// A caller who may manage the accounts. The audits record what they do there.
pub struct Admin {
    /// The caller, as the audits name them.
    pub author: Author,
}

impl Staff {
    /// Returns whether the caller may see the personal data of an account. Staff may see their own, admins may see all.
    pub fn may_see(&self, user: UserId) -> bool {
        self.role == Role::Admin || self.author.user_id == user
    }
}

/// Any caller. A caller who sends a bearer token must be signed in with it; `None` means that no token was sent.
pub struct MaybeCustomer(pub Option<Customer>);

/// Any caller of a public call that shows more to staff. A caller with an invalid bearer token counts as not signed in,
/// and the answer says that the token is invalid ([`BearerNotice`]).
pub struct Viewer {
    /// Whether the caller is staff or an admin, and so sees hidden products.
    pub is_staff: bool,
}

/// The tokens that a sign-out brings: an access token, refresh cookies, or both. None of them is checked yet.
pub struct LogoutTokens {
    /// The token of `Authorization: Bearer`. It is empty, and so invalid, if the header has another form. `None` means
    /// that there is no such header.
    pub bearer: Option<String>,
    /// The refresh tokens of all cookies named [`REFRESH_COOKIE`]. A browser sends two after a change of
    /// `COOKIE_DOMAIN`.
    pub cookies: Vec<String>,
}

/// The refresh tokens of all cookies named [`REFRESH_COOKIE`]. They are not checked yet. Calls from web pages of a
/// foreign origin are refused.
pub struct RefreshCookie(pub Vec<String>);

/// The id of a request. The outermost layer takes it from the caller or creates it.
#[derive(Clone)]
pub struct RequestId(pub Arc<str>);

impl From<InvalidAccessToken> for ApiError {
    fn from(error: InvalidAccessToken) -> Self {
        Self::new(ErrorCode::InvalidAccessToken, error.to_string())
    }
}

/// Fails if the caller of a request is neither staff nor an admin.
pub async fn refuse_strangers(request: &Request) -> Result<(), ApiError> {
    Staff::check(request).await.map(drop)
}

/// The check that one of these argument types makes.
trait Access: Sized {
    /// The security schemes in the OpenAPI description. A caller has to use one of them.
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
    const SCHEMES: &'static [&'static str] = &[NOBODY, BEARER_SCHEME];

    async fn check(request: &Request) -> Result<Self, ApiError> {
        if !brings_bearer(request) {
            return Ok(Self(None));
        }
        Customer::check(request).await.map(|customer| Self(Some(customer)))
    }
}

impl Access for Viewer {
    const SCHEMES: &'static [&'static str] = &[NOBODY, BEARER_SCHEME];

    async fn check(request: &Request) -> Result<Self, ApiError> {
        if !brings_bearer(request) {
            return Ok(Self { is_staff: false });
        }
        let member = bearer::found_or_public(request).await?;
        Ok(Self { is_staff: member.is_some_and(|member| member.role.is_staff()) })
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

security_arguments!(Customer, MaybeCustomer, Viewer, Staff, Admin, LogoutTokens, RefreshCookie);

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
