//! `/api/auth/`: sign-up, sign-in, sign-out and the caller's sessions.

mod bodies;
mod cookie;
pub mod otp;
mod otp_bodies;
mod otp_refusals;
mod refusals;

pub use self::{otp_bodies::OtpIn, refusals::NotConfirmed};

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
    error::{ApiError, ApiResult, CallError, Refusal},
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

/// Handlers of `/api/auth/`, except those in `otp.rs`.
pub struct AuthApi(pub Arc<App>);

#[OpenApi(prefix_path = "/api/auth", tag = "Group::Auth")]
impl AuthApi {
    /// Signs up without an OTP
    ///
    /// Creates an account with a phone number, an e-mail address or both, and signs its owner in. The sign-up does not
    /// prove them.
    #[oai(path = "/register", method = "post", operation_id = "register")]
    async fn register(&self, origin: TrustedOrigin, body: Body<RegisterIn>) -> ApiResult<Registered, RegisterError> {
        let account = NewAccount::check(body.0.into(), self.0.config.default_region).map_err(RegisterError::from)?;
        let signed_in = registration::register(&self.0, account, &origin.0).await?;
        let (cookie, refresh) = (self.cookie(&signed_in, &origin), self.in_body(&signed_in));
        let out = RegisteredOut::new("user registered successfully", signed_in, refresh);
        Ok(Registered::Created(Json(out), cookie))
    }

    /// Signs in with a phone number
    #[oai(path = "/login", method = "post", operation_id = "login")]
    async fn login(
        &self,
        origin: TrustedOrigin,
        body: Body<LoginIn>,
    ) -> ApiResult<WithCookie<SignedInOut>, SignInError> {
        let number = required("phone_number", body.0.phone_number)?;
        let password = required_password("password", body.0.password)?;
        let identifier = sign_in::identify_by_phone(&self.0, &number);
        let signed_in = sign_in::sign_in(&self.0, identifier, password, Carrier::Cookie, &origin.0).await?;
        let cookie = self.cookie(&signed_in, &origin);
        Ok(WithCookie::Ok(Json(SignedInOut::new(signed_in, None)), cookie))
    }

    /// Signs in with a username, an e-mail address or a phone number
    #[oai(path = "/token", method = "post", operation_id = "obtainToken")]
    async fn token(
        &self,
        origin: TrustedOrigin,
        body: Body<TokenLoginIn>,
    ) -> ApiResult<WithCookie<SignedInOut>, SignInError> {
        let name = required("username", body.0.username)?;
        let password = required_password("password", body.0.password)?;
        let identifier = sign_in::identify(&self.0, &name);
        let signed_in = sign_in::sign_in(&self.0, identifier, password, Carrier::CookieAndBody, &origin.0).await?;
        let (cookie, refresh) = (self.cookie(&signed_in, &origin), self.in_body(&signed_in));
        Ok(WithCookie::Ok(Json(SignedInOut::new(signed_in, refresh)), cookie))
    }

    /// Returns a new access token
    ///
    /// Replaces the refresh token in the cookie with a new one. Calls that send the old token within the grace period
    /// (`REFRESH_GRACE`) get the same new token. After the grace period the old token still works if the new one was
    /// never used, because the answer with it may have been lost. An old token ends the session if its successor is in
    /// use, because somebody may have a copy of it.
    #[oai(path = "/refresh", method = "post", operation_id = "refresh")]
    async fn refresh(&self, cookie: RefreshCookie) -> ApiResult<WithCookie<RefreshedOut>, RefreshError> {
        let refreshed = refresh::by_cookies(&self.0, &cookie.0).await;
        let signed_in = self.or_clear_cookie(refreshed, &cookie.0)?;
        let cookie = cookie::set(&self.0, &signed_in);
        Ok(WithCookie::Ok(Json(RefreshedOut::new(signed_in, None)), cookie))
    }

    /// Returns a new access token, also to apps without a cookie jar
    ///
    /// Works like `refresh/`. With `BODY_REFRESH=rotating` the refresh token may be sent in the body, and the body of
    /// the answer contains the next one. With `BODY_REFRESH=static` it may be sent in the body too, and stays the same.
    #[oai(path = "/token/refresh", method = "post", operation_id = "refreshToken")]
    async fn token_refresh(
        &self,
        cookie: RefreshCookie,
        body: Body<RefreshIn>,
    ) -> ApiResult<WithCookie<RefreshedOut>, RefreshError> {
        let given = body.0.refresh.map(|token| token.0).filter(|token| !token.is_empty());
        let refreshed = match given {
            Some(token) => refresh::by_body(&self.0, &token, &cookie.0).await,
            None => refresh::by_cookies(&self.0, &cookie.0).await,
        };
        let signed_in = self.or_clear_cookie(refreshed, &cookie.0)?;
        let (cookie, refresh) = (cookie::set(&self.0, &signed_in), self.in_body(&signed_in));
        let refresh = refresh.filter(|_| signed_in.rotates);
        Ok(WithCookie::Ok(Json(RefreshedOut::new(signed_in, refresh)), cookie))
    }

    /// Signs out
    ///
    /// Ends the session of the access token, of the cookie or of both; their tokens are invalid from then on. If both
    /// are sent, a cookie of another account's session is left alone. The answer clears the cookie, also if the tokens
    /// are invalid.
    #[oai(path = "/logout", method = "post", operation_id = "logout")]
    async fn logout(&self, tokens: LogoutTokens) -> ApiResult<WithCookie<MessageOut>, LogoutError> {
        let cleared = cookie::clear(&self.0);
        match sessions::logout(&self.0, tokens.bearer.as_deref(), &tokens.cookies).await {
            Ok(()) => Ok(WithCookie::Ok(Json(MessageOut::new("logged out successfully")), cleared)),
            Err(refusal) => Err(self.and_clear_cookie(refusal)),
        }
    }

    /// Lists the caller's sessions
    #[oai(path = "/sessions", method = "get", operation_id = "listSessions")]
    async fn sessions(&self, caller: Customer) -> ApiResult<Json<SessionsOut>, AccountError> {
        let sessions = own::sessions(&self.0, caller.session).await?;
        Ok(Json(SessionsOut::new(sessions, caller.session.session)))
    }

    /// Ends one of the caller's sessions
    #[oai(path = "/sessions/:id", method = "delete", operation_id = "endSession")]
    async fn end_session(
        &self,
        caller: Customer,
        id: Path<PathId<SessionId>>,
    ) -> ApiResult<Json<MessageOut>, AccountError> {
        let session = id.0.or(AccountError::SessionNotFound)?;
        own::end_session(&self.0, caller.session, session).await?;
        Ok(Json(MessageOut::new("session ended successfully")))
    }

    /// Ends all sessions of the caller, including this one
    #[oai(path = "/logout-all", method = "post", operation_id = "logoutAll")]
    async fn logout_all(&self, caller: Customer) -> ApiResult<WithCookie<MessageOut>, AccountError> {
        own::end_all_sessions(&self.0, caller.session).await?;
        let out = MessageOut::new("logged out everywhere successfully");
        Ok(WithCookie::Ok(Json(out), cookie::clear(&self.0)))
    }
}

impl AuthApi {
    /// Returns the `Set-Cookie` line of a new session. Also sets the cookie by which the account knows this browser.
    fn cookie(&self, signed_in: &SignedIn, origin: &TrustedOrigin) -> String {
        origin.1.set(&cookie::known_browser(&self.0, signed_in.account.id));
        cookie::set(&self.0, signed_in)
    }

    /// Returns the refresh token for the body of the answer, or `None` if `BODY_REFRESH` does not allow it there.
    fn in_body(&self, signed_in: &SignedIn) -> Option<String> {
        let is_for_bodies = match self.0.config.body_refresh {
            BodyRefresh::Off => false,
            BodyRefresh::Rotating => true,
            BodyRefresh::Static => !signed_in.rotates,
        };
        is_for_bodies.then(|| signed_in.refresh.expose().to_owned())
    }

    /// Clears the cookie if the refresh was refused, because the cookie is useless then. Keeps it if the database
    /// failed.
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

    fn and_clear_cookie<R: Refusal>(&self, refusal: R) -> CallError<R> {
        match HeaderValue::try_from(cookie::clear(&self.0)) {
            Ok(cleared) => CallError::from(refusal).with_header(header::SET_COOKIE, cleared),
            Err(_) => ApiError::internal().into(),
        }
    }
}
