//! `/api/auth/`: signing up, in and out.

mod bodies;
mod cookie;
pub mod otp;
mod otp_bodies;
mod otp_refusals;
mod refusals;

pub use self::{otp_bodies::OtpIn, refusals::not_confirmed};

use std::sync::Arc;

use poem::http::{HeaderValue, header};
use poem_openapi::{OpenApi, param::Path, payload::Json};

pub use self::bodies::SessionsOut;
use self::bodies::{
    LoginIn, RefreshIn, RefreshedOut, RegisterIn, Registered, RegisteredOut, SignedInOut, TokenLoginIn, WithCookie,
};
use super::{
    Group,
    access::{Customer, LogoutTokens, RefreshCookie, TrustedOrigin},
    body::Body,
    error::{ApiError, ApiResult, Failed, Refusal},
    fields::{required, required_password},
    message::MessageOut,
    scalars::PathId,
};
use crate::{
    accounts::{
        own::{self, AccountError},
        refresh::{self, RefreshError},
        registration::{self, NewAccount, RegisterError},
        sessions::{self, Carrier, LogoutError, SignedIn},
        sign_in::{self, SignInError},
    },
    app::App,
    config::BodyRefresh,
    values::ids::SessionId,
};

/// The handlers.
pub struct AuthApi {
    app: Arc<App>,
}

#[OpenApi(prefix_path = "/api/auth", tag = "Group::Auth")]
impl AuthApi {
    /// Sign up without an OTP
    ///
    /// Makes an account that claims a number, an address or both, and signs its owner in.
    #[oai(path = "/register", method = "post", operation_id = "register")]
    async fn register(&self, origin: TrustedOrigin, body: Body<RegisterIn>) -> ApiResult<Registered, RegisterError> {
        let account = NewAccount::check(body.0.into(), self.app.config.default_region).map_err(RegisterError::from)?;
        let signed_in = registration::register(&self.app, account, &origin.0).await?;
        let (cookie, refresh) = (self.cookie(&signed_in, &origin), self.in_body(&signed_in));
        let out = RegisteredOut::new("user registered successfully", signed_in, refresh);
        Ok(Registered::Created(Json(out), cookie))
    }

    /// Sign in with a phone number
    #[oai(path = "/login", method = "post", operation_id = "login")]
    async fn login(
        &self,
        origin: TrustedOrigin,
        body: Body<LoginIn>,
    ) -> ApiResult<WithCookie<SignedInOut>, SignInError> {
        let number = required("phone_number", body.0.phone_number)?;
        let password = required_password("password", body.0.password)?;
        let identifier = sign_in::by_phone(&self.app, &number);
        let signed_in = sign_in::sign_in(&self.app, identifier, password, Carrier::Cookie, &origin.0).await?;
        let cookie = self.cookie(&signed_in, &origin);
        Ok(WithCookie::Ok(Json(SignedInOut::new(signed_in, None)), cookie))
    }

    /// Sign in with a username, an e-mail address or a phone number
    #[oai(path = "/token", method = "post", operation_id = "obtainToken")]
    async fn token(
        &self,
        origin: TrustedOrigin,
        body: Body<TokenLoginIn>,
    ) -> ApiResult<WithCookie<SignedInOut>, SignInError> {
        let name = required("username", body.0.username)?;
        let password = required_password("password", body.0.password)?;
        let identifier = sign_in::by_any(&self.app, &name);
        let signed_in = sign_in::sign_in(&self.app, identifier, password, Carrier::CookieAndBody, &origin.0).await?;
        let (cookie, refresh) = (self.cookie(&signed_in, &origin), self.in_body(&signed_in));
        Ok(WithCookie::Ok(Json(SignedInOut::new(signed_in, refresh)), cookie))
    }

    /// Get a new access token
    ///
    /// Rotates the refresh token of the cookie. Calls at the same moment, and for a short while after, get the same
    /// new one; so does a call whose last answer was lost. A token whose successor is in use ends the session.
    #[oai(path = "/refresh", method = "post", operation_id = "refresh")]
    async fn refresh(&self, cookie: RefreshCookie) -> ApiResult<WithCookie<RefreshedOut>, RefreshError> {
        let refreshed = refresh::by_cookies(&self.app, &cookie.0).await;
        let signed_in = self.or_clear_cookie(refreshed, &cookie.0)?;
        let cookie = cookie::set(&self.app, &signed_in);
        Ok(WithCookie::Ok(Json(RefreshedOut::new(signed_in, None)), cookie))
    }

    /// Get a new access token, for apps without a cookie jar too
    ///
    /// As `refresh/`. With `BODY_REFRESH=rotating` the token may come in the body, and the answer's body has the next one;
    /// with `static` it may come in the body too, and stays the same.
    #[oai(path = "/token/refresh", method = "post", operation_id = "refreshToken")]
    async fn token_refresh(
        &self,
        cookie: RefreshCookie,
        body: Body<RefreshIn>,
    ) -> ApiResult<WithCookie<RefreshedOut>, RefreshError> {
        let given = body.0.refresh.map(|token| token.0).filter(|token| !token.is_empty());
        let refreshed = match given {
            Some(token) => refresh::by_body(&self.app, &token, &cookie.0).await,
            None => refresh::by_cookies(&self.app, &cookie.0).await,
        };
        let signed_in = self.or_clear_cookie(refreshed, &cookie.0)?;
        let (cookie, refresh) = (cookie::set(&self.app, &signed_in), self.in_body(&signed_in));
        let refresh = refresh.filter(|_| signed_in.rotates);
        Ok(WithCookie::Ok(Json(RefreshedOut::new(signed_in, refresh)), cookie))
    }

    /// Sign out
    ///
    /// Ends the session of the bearer, of the cookie or of both, at once and everywhere, and clears the cookie
    /// whatever comes.
    #[oai(path = "/logout", method = "post", operation_id = "logout")]
    async fn logout(&self, tokens: LogoutTokens) -> ApiResult<WithCookie<MessageOut>, LogoutError> {
        let cleared = cookie::clear(&self.app);
        match sessions::logout(&self.app, tokens.bearer.as_deref(), &tokens.cookies).await {
            Ok(()) => Ok(WithCookie::Ok(Json(MessageOut::new("logged out successfully")), cleared)),
            Err(refusal) => Err(self.and_clear_cookie(refusal)),
        }
    }

    /// One's own sessions
    #[oai(path = "/sessions", method = "get", operation_id = "listSessions")]
    async fn sessions(&self, caller: Customer) -> ApiResult<Json<SessionsOut>, AccountError> {
        let sessions = own::sessions(&self.app, caller.session).await?;
        Ok(Json(SessionsOut::new(sessions, caller.session.session)))
    }

    /// End one of one's own sessions
    #[oai(path = "/sessions/:id", method = "delete", operation_id = "endSession")]
    async fn end_session(
        &self,
        caller: Customer,
        id: Path<PathId<SessionId>>,
    ) -> ApiResult<Json<MessageOut>, AccountError> {
        let session = id.0.or(AccountError::SessionNotFound)?;
        own::end_session(&self.app, caller.session, session).await?;
        Ok(Json(MessageOut::new("session ended successfully")))
    }

    /// End all of one's own sessions, this one included
    #[oai(path = "/logout-all", method = "post", operation_id = "logoutAll")]
    async fn logout_all(&self, caller: Customer) -> ApiResult<WithCookie<MessageOut>, AccountError> {
        own::end_all_sessions(&self.app, caller.session).await?;
        let out = MessageOut::new("logged out everywhere successfully");
        Ok(WithCookie::Ok(Json(out), cookie::clear(&self.app)))
    }
}

impl AuthApi {
    /// Handlers over `app`.
    pub fn new(app: &Arc<App>) -> Self {
        Self { app: Arc::clone(app) }
    }

    /// The cookie of a new session; its browser is known from now on.
    fn cookie(&self, signed_in: &SignedIn, origin: &TrustedOrigin) -> String {
        origin.1.set(&cookie::known_browser(&self.app, signed_in.account.id));
        cookie::set(&self.app, signed_in)
    }

    /// The refresh token for the body, where that is switched on.
    fn in_body(&self, signed_in: &SignedIn) -> Option<String> {
        let is_for_bodies = match self.app.config.body_refresh {
            BodyRefresh::Off => false,
            BodyRefresh::Rotating => true,
            BodyRefresh::Static => !signed_in.rotates,
        };
        is_for_bodies.then(|| signed_in.refresh.expose().to_owned())
    }

    /// A cookie that is good for nothing any more is taken away.
    fn or_clear_cookie(
        &self,
        refreshed: Result<SignedIn, RefreshError>,
        cookies: &[String],
    ) -> ApiResult<SignedIn, RefreshError> {
        refreshed.map_err(|refusal| match refusal {
            RefreshError::Store(_) => refusal.into(),
            refusal if cookies.is_empty() => refusal.into(),
            refusal => self.and_clear_cookie(refusal),
        })
    }

    fn and_clear_cookie<R: Refusal>(&self, refusal: R) -> Failed<R> {
        match HeaderValue::try_from(cookie::clear(&self.app)) {
            Ok(cleared) => Failed::from(refusal).with_header(header::SET_COOKIE, cleared),
            Err(_) => ApiError::internal().into(),
        }
    }
}
