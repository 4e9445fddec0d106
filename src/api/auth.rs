//! `/api/auth/`: signing up, in and out.

use std::sync::Arc;

use poem::http::{HeaderValue, header};
use poem_openapi::{ApiResponse, Object, OpenApi, payload::Json, types::Example};
use serde::Deserialize;

use super::{
    Group,
    body::Body,
    fields::{Digits, Line, PasswordIn, TokenIn},
    refresh_cookie,
    user_out::UserOut,
};
use crate::{
    access::{LogoutTokens, RefreshCookie, TrustedOrigin},
    app::App,
    domain::{invalid::InvalidField, password::Password},
    error::{ApiError, ApiResult, Code, Failed, Refusal},
    services::{
        registration::{self, Application, NewAccount, RegisterError},
        sessions::{self, LogoutError, RefreshError, SignedIn},
        sign_in::{self, SignInError},
    },
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
        let cookie = refresh_cookie::set(&self.app, &signed_in.refresh);
        Ok(Registered::Created(Json(RegisteredOut::new(&self.app, signed_in)), cookie))
    }

    /// Sign in with a phone number
    #[oai(path = "/login", method = "post", operation_id = "login")]
    async fn login(
        &self,
        origin: TrustedOrigin,
        body: Body<LoginIn>,
    ) -> ApiResult<WithCookie<SignedInOut>, SignInError> {
        let number = required("phone_number", body.0.phone_number.map(|digits| digits.0))?;
        let password = required_password(body.0.password)?;
        let identifier = sign_in::by_phone(&self.app, &number);
        let signed_in = sign_in::sign_in(&self.app, identifier, password, &origin.0).await?;
        let cookie = refresh_cookie::set(&self.app, &signed_in.refresh);
        Ok(WithCookie::Ok(Json(SignedInOut::new(signed_in, None)), cookie))
    }

    /// Sign in with a username, an e-mail address or a phone number
    #[oai(path = "/token", method = "post", operation_id = "obtainToken")]
    async fn token(
        &self,
        origin: TrustedOrigin,
        body: Body<TokenLoginIn>,
    ) -> ApiResult<WithCookie<SignedInOut>, SignInError> {
        let name = required("username", body.0.username.map(|digits| digits.0))?;
        let password = required_password(body.0.password)?;
        let identifier = sign_in::by_any(&self.app, &name);
        let signed_in = sign_in::sign_in(&self.app, identifier, password, &origin.0).await?;
        let cookie = refresh_cookie::set(&self.app, &signed_in.refresh);
        let in_body = body_refresh(&self.app, &signed_in);
        Ok(WithCookie::Ok(Json(SignedInOut::new(signed_in, in_body)), cookie))
    }

    /// Get a new access token
    ///
    /// Rotates the refresh token of the cookie. Calls at the same moment, and for a short while after, get the same
    /// new one; an older token ends the session.
    #[oai(path = "/refresh", method = "post", operation_id = "refresh")]
    async fn refresh(&self, cookie: RefreshCookie) -> ApiResult<WithCookie<RefreshedOut>, RefreshError> {
        let signed_in = sessions::refresh(&self.app, cookie.0.as_deref()).await?;
        let cookie = refresh_cookie::set(&self.app, &signed_in.refresh);
        Ok(WithCookie::Ok(Json(RefreshedOut { access: signed_in.access.expose(), refresh: None }), cookie))
    }

    /// Get a new access token, for apps without a cookie jar too
    ///
    /// As `refresh/`. With `BODY_REFRESH=true` the token may come in the body, and the answer's body has the next one.
    #[oai(path = "/token/refresh", method = "post", operation_id = "refreshToken")]
    async fn token_refresh(
        &self,
        cookie: RefreshCookie,
        body: Body<RefreshIn>,
    ) -> ApiResult<WithCookie<RefreshedOut>, RefreshError> {
        let in_body = body.0.refresh.map(|token| token.0).filter(|_| self.app.config.body_refresh);
        let token = in_body.or(cookie.0);
        let signed_in = sessions::refresh(&self.app, token.as_deref()).await?;
        let cookie = refresh_cookie::set(&self.app, &signed_in.refresh);
        let refresh = body_refresh(&self.app, &signed_in);
        Ok(WithCookie::Ok(Json(RefreshedOut { access: signed_in.access.expose(), refresh }), cookie))
    }

    /// Sign out
    ///
    /// Ends the session of the bearer, of the cookie or of both, at once and everywhere, and clears the cookie
    /// whatever comes.
    #[oai(path = "/logout", method = "post", operation_id = "logout")]
    async fn logout(&self, tokens: LogoutTokens) -> ApiResult<WithCookie<MessageOut>, LogoutError> {
        let cleared = refresh_cookie::clear(&self.app);
        match sessions::logout(&self.app, tokens.bearer.as_deref(), tokens.cookie.as_deref()).await {
            Ok(()) => Ok(WithCookie::Ok(Json(MessageOut::new("logged out successfully")), cleared)),
            Err(refusal) => {
                let cleared = HeaderValue::try_from(cleared).map_err(|_| ApiError::internal())?;
                Err(Failed::from(refusal).with_header(header::SET_COOKIE, cleared))
            }
        }
    }
}

impl AuthApi {
    /// Handlers over `app`.
    pub fn new(app: &Arc<App>) -> Self {
        Self { app: Arc::clone(app) }
    }
}

fn required(field: &'static str, value: Option<String>) -> Result<String, SignInError> {
    let given = value.filter(|text| !text.is_empty());
    given.ok_or_else(|| InvalidField::required(field).into())
}

fn required_password(password: Option<PasswordIn>) -> Result<Password, SignInError> {
    let given = password.map(|password| password.0).filter(|password| !password.expose().is_empty());
    given.ok_or_else(|| InvalidField::required("password").into())
}

/// The refresh token for the body, where that is switched on.
fn body_refresh(app: &App, signed_in: &SignedIn) -> Option<String> {
    app.config.body_refresh.then(|| signed_in.refresh.expose().to_owned())
}

/// Who wants an account. A phone number may be left out when an e-mail address is given.
#[derive(Debug, Object, Deserialize)]
#[oai(rename = "Register", example)]
struct RegisterIn {
    /// 4 to 24 letters, digits, single spaces and `._-`.
    username: Option<Line>,
    /// 8 to 72 bytes with upper and lower case, a digit and a special character.
    password: Option<PasswordIn>,
    /// In any usual spelling.
    phone_number: Option<Digits>,
    email: Option<Line>,
}

impl From<RegisterIn> for Application {
    fn from(body: RegisterIn) -> Self {
        Self {
            username: body.username.map(|line| line.0),
            password: body.password.map(|password| password.0),
            phone_number: body.phone_number.map(|digits| digits.0),
            email: body.email.map(|line| line.0),
        }
    }
}

impl Example for RegisterIn {
    fn example() -> Self {
        Self {
            username: Some(Line("Asha Rao".to_owned())),
            password: Some(example_password()),
            phone_number: Some(Digits("9876543210".to_owned())),
            email: Some(Line("asha@example.com".to_owned())),
        }
    }
}

/// Who signs in.
#[derive(Debug, Object, Deserialize)]
#[oai(rename = "Login", example)]
struct LoginIn {
    /// In any usual spelling.
    phone_number: Option<Digits>,
    password: Option<PasswordIn>,
}

impl Example for LoginIn {
    fn example() -> Self {
        Self { phone_number: Some(Digits("9876543210".to_owned())), password: Some(example_password()) }
    }
}

/// Who signs in, by any of their names.
#[derive(Debug, Object, Deserialize)]
#[oai(rename = "TokenLogin", example)]
struct TokenLoginIn {
    /// A username, an e-mail address or a phone number.
    username: Option<Digits>,
    password: Option<PasswordIn>,
}

impl Example for TokenLoginIn {
    fn example() -> Self {
        Self { username: Some(Digits("asha@example.com".to_owned())), password: Some(example_password()) }
    }
}

fn example_password() -> PasswordIn {
    PasswordIn(Password::new("Br4ke-pads!".to_owned()))
}

/// The refresh token, where `BODY_REFRESH` lets it travel in bodies.
#[derive(Object, Deserialize)]
#[oai(rename = "Refresh", example)]
struct RefreshIn {
    refresh: Option<TokenIn>,
}

impl Example for RefreshIn {
    fn example() -> Self {
        Self { refresh: None }
    }
}

/// A new account, signed in.
#[derive(Object)]
#[oai(rename = "Registered", example)]
struct RegisteredOut {
    message: String,
    user: UserOut,
    /// For the `Authorization` header.
    access: String,
    /// Only with `BODY_REFRESH=true`.
    #[oai(skip_serializing_if_is_none)]
    refresh: Option<String>,
}

impl RegisteredOut {
    fn new(app: &App, signed_in: SignedIn) -> Self {
        Self {
            message: "user registered successfully".to_owned(),
            user: UserOut::from(&signed_in.account),
            refresh: body_refresh(app, &signed_in),
            access: signed_in.access.expose(),
        }
    }
}

impl Example for RegisteredOut {
    fn example() -> Self {
        let message = "user registered successfully".to_owned();
        Self { message, user: UserOut::example(), access: EXAMPLE_ACCESS.to_owned(), refresh: None }
    }
}

/// A signed-in account.
#[derive(Object)]
#[oai(rename = "SignedIn", example)]
struct SignedInOut {
    /// For the `Authorization` header.
    access: String,
    user: UserOut,
    /// Only with `BODY_REFRESH=true`, and only from `token/`.
    #[oai(skip_serializing_if_is_none)]
    refresh: Option<String>,
}

impl SignedInOut {
    fn new(signed_in: SignedIn, refresh: Option<String>) -> Self {
        Self { user: UserOut::from(&signed_in.account), access: signed_in.access.expose(), refresh }
    }
}

impl Example for SignedInOut {
    fn example() -> Self {
        Self { access: EXAMPLE_ACCESS.to_owned(), user: UserOut::example(), refresh: None }
    }
}

const EXAMPLE_ACCESS: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI2NzQxZjBhMiJ9.c2lnbmF0dXJl";

/// A new access token.
#[derive(Object)]
#[oai(rename = "Refreshed", example)]
struct RefreshedOut {
    /// For the `Authorization` header.
    access: String,
    /// Only with `BODY_REFRESH=true`, and only from `token/refresh/`.
    #[oai(skip_serializing_if_is_none)]
    refresh: Option<String>,
}

impl Example for RefreshedOut {
    fn example() -> Self {
        Self { access: EXAMPLE_ACCESS.to_owned(), refresh: None }
    }
}

/// What was done.
#[derive(Object)]
#[oai(rename = "Message", example)]
struct MessageOut {
    message: String,
}

impl MessageOut {
    fn new(message: &str) -> Self {
        Self { message: message.to_owned() }
    }
}

impl Example for MessageOut {
    fn example() -> Self {
        Self::new("logged out successfully")
    }
}

#[derive(ApiResponse)]
enum Registered {
    /// The account was made and its owner is signed in.
    #[oai(status = 201)]
    Created(
        Json<RegisteredOut>,
        /// The cookie `refresh_token`.
        #[oai(header = "Set-Cookie")]
        String,
    ),
}

#[derive(ApiResponse)]
enum WithCookie<T: poem_openapi::types::ToJSON> {
    /// Done.
    #[oai(status = 200)]
    Ok(
        Json<T>,
        /// The cookie `refresh_token`.
        #[oai(header = "Set-Cookie")]
        String,
    ),
}

impl Refusal for RegisterError {
    const CODES: &'static [Code] =
        &[Code::InvalidInput, Code::PhoneNumberTaken, Code::UsernameTaken, Code::EmailTaken, Code::TooBusy];

    fn into_error(self) -> ApiError {
        let text = self.to_string();
        match self {
            Self::Invalid(invalid) => invalid.into(),
            Self::PhoneTaken => ApiError::new(Code::PhoneNumberTaken, text).with_field("phone_number"),
            Self::UsernameTaken => ApiError::new(Code::UsernameTaken, text).with_field("username"),
            Self::EmailTaken => ApiError::new(Code::EmailTaken, text).with_field("email"),
            Self::Hashing(error) => error.into(),
            Self::Store(error) => error.into(),
        }
    }
}

impl Refusal for SignInError {
    const CODES: &'static [Code] =
        &[Code::InvalidInput, Code::InvalidCredentials, Code::AccountDisabled, Code::TooBusy];

    fn into_error(self) -> ApiError {
        let text = self.to_string();
        match self {
            Self::Invalid(invalid) => invalid.into(),
            Self::WrongCredentials => ApiError::new(Code::InvalidCredentials, text),
            Self::Disabled => ApiError::new(Code::AccountDisabled, text),
            Self::Hashing(error) => error.into(),
            Self::Store(error) => error.into(),
        }
    }
}

impl Refusal for RefreshError {
    const CODES: &'static [Code] = &[Code::RefreshTokenRequired, Code::InvalidRefreshToken, Code::RefreshTokenRevoked];

    fn into_error(self) -> ApiError {
        let text = self.to_string();
        match self {
            Self::Required => ApiError::new(Code::RefreshTokenRequired, text),
            Self::Invalid => ApiError::new(Code::InvalidRefreshToken, text),
            Self::Revoked => ApiError::new(Code::RefreshTokenRevoked, text),
            Self::Store(error) => error.into(),
        }
    }
}

impl Refusal for LogoutError {
    const CODES: &'static [Code] = &[Code::TokensRequired, Code::InvalidAccessToken];

    fn into_error(self) -> ApiError {
        let text = self.to_string();
        match self {
            Self::Required => ApiError::new(Code::TokensRequired, text),
            Self::Invalid => ApiError::new(Code::InvalidAccessToken, text),
            Self::Store(error) => error.into(),
        }
    }
}
