//! Bodies of the requests and answers of `/api/auth/`.

use poem_openapi::{ApiResponse, Object, payload::Json, types::Example};
use serde::Deserialize;

use crate::{
    accounts::{SessionDoc, registration::Application, rules::password::Password, sessions::SignedIn},
    api::examples,
    api::{
        fields::{Digits, Line, PasswordIn, TokenIn},
        user_out::UserOut,
    },
    values::{ids::SessionId, time::Timestamp},
};

/// The data of a new account. A phone number, an e-mail address or both are required.
#[derive(Debug, Object, Deserialize)]
#[oai(rename = "Register", example)]
pub(super) struct RegisterIn {
    /// 4 to 24 letters, digits, single spaces and `._-`, with at least one letter.
    pub(super) username: Option<Line>,
    /// 8 to 72 bytes with an upper-case and a lower-case letter, a digit and a special character, and not easy to
    /// guess.
    pub(super) password: Option<PasswordIn>,
    /// Phone number in any common notation.
    pub(super) phone_number: Option<Digits>,
    pub(super) email: Option<Line>,
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
            username: Some(examples::line(examples::USERNAME)),
            password: Some(example_password()),
            phone_number: Some(Digits("9876543210".to_owned())),
            email: Some(examples::line(examples::EMAIL)),
        }
    }
}

/// The phone number and password of the person who signs in.
#[derive(Debug, Object, Deserialize)]
#[oai(rename = "Login", example)]
pub(super) struct LoginIn {
    /// Phone number in any common notation.
    pub(super) phone_number: Option<Digits>,
    pub(super) password: Option<PasswordIn>,
}

impl Example for LoginIn {
    fn example() -> Self {
        Self { phone_number: Some(Digits("9876543210".to_owned())), password: Some(example_password()) }
    }
}

/// An identifier and the password of the person who signs in.
#[derive(Debug, Object, Deserialize)]
#[oai(rename = "TokenLogin", example)]
pub(super) struct TokenLoginIn {
    /// A username, an e-mail address or a phone number.
    pub(super) username: Option<Digits>,
    pub(super) password: Option<PasswordIn>,
}

impl Example for TokenLoginIn {
    fn example() -> Self {
        Self { username: Some(Digits(examples::EMAIL.to_owned())), password: Some(example_password()) }
    }
}

fn example_password() -> PasswordIn {
    PasswordIn(Password::new("Br4ke-pads!".to_owned()))
}

/// The refresh token, which may be sent in the body if `BODY_REFRESH` allows it.
#[derive(Object, Deserialize)]
#[oai(rename = "Refresh", example)]
pub(super) struct RefreshIn {
    pub(super) refresh: Option<TokenIn>,
}

impl Example for RefreshIn {
    fn example() -> Self {
        Self { refresh: None }
    }
}

/// A new account whose owner is signed in.
#[derive(Object)]
#[oai(rename = "Registered", example)]
pub(super) struct RegisteredOut {
    pub(super) message: String,
    pub(super) user: UserOut,
    /// Access token for the header `Authorization: Bearer`.
    pub(super) access: String,
    /// Seconds for which `access` is valid.
    pub(super) expires_in: u64,
    /// Refresh token; only if `BODY_REFRESH` allows it in bodies.
    #[oai(skip_serializing_if_is_none)]
    pub(super) refresh: Option<String>,
}

impl RegisteredOut {
    pub(super) fn new(message: &str, signed_in: SignedIn, refresh: Option<String>) -> Self {
        Self {
            message: message.to_owned(),
            user: UserOut::from(&signed_in.account),
            access: signed_in.access.expose(),
            expires_in: signed_in.expires_in,
            refresh,
        }
    }
}

impl Example for RegisteredOut {
    fn example() -> Self {
        let message = "user registered successfully".to_owned();
        let access = EXAMPLE_ACCESS.to_owned();
        Self { message, user: UserOut::example(), access, expires_in: EXAMPLE_SECONDS, refresh: None }
    }
}

/// A signed-in account.
#[derive(Object)]
#[oai(rename = "SignedIn", example)]
pub(super) struct SignedInOut {
    /// Access token for the header `Authorization: Bearer`.
    pub(super) access: String,
    /// Seconds for which `access` is valid.
    pub(super) expires_in: u64,
    pub(super) user: UserOut,
    /// Refresh token; only from `token/`, and only if `BODY_REFRESH` allows it in bodies.
    #[oai(skip_serializing_if_is_none)]
    pub(super) refresh: Option<String>,
}

impl SignedInOut {
    pub(super) fn new(signed_in: SignedIn, refresh: Option<String>) -> Self {
        let (user, expires_in) = (UserOut::from(&signed_in.account), signed_in.expires_in);
        Self { user, access: signed_in.access.expose(), expires_in, refresh }
    }
}

impl Example for SignedInOut {
    fn example() -> Self {
        let (access, user) = (EXAMPLE_ACCESS.to_owned(), UserOut::example());
        Self { access, expires_in: EXAMPLE_SECONDS, user, refresh: None }
    }
}

const EXAMPLE_SECONDS: u64 = 900;
const EXAMPLE_ACCESS: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI2NzQxZjBhMiJ9.c2lnbmF0dXJl";

/// A new access token.
#[derive(Object)]
#[oai(rename = "Refreshed", example)]
pub(super) struct RefreshedOut {
    /// Access token for the header `Authorization: Bearer`.
    access: String,
    /// Seconds for which `access` is valid.
    expires_in: u64,
    /// Next refresh token; only from `token/refresh/`, and only with `BODY_REFRESH=rotating`.
    #[oai(skip_serializing_if_is_none)]
    refresh: Option<String>,
}

impl RefreshedOut {
    pub(super) fn new(signed_in: SignedIn, refresh: Option<String>) -> Self {
        Self { access: signed_in.access.expose(), expires_in: signed_in.expires_in, refresh }
    }
}

impl Example for RefreshedOut {
    fn example() -> Self {
        Self { access: EXAMPLE_ACCESS.to_owned(), expires_in: EXAMPLE_SECONDS, refresh: None }
    }
}

/// A signed-in browser or app.
#[derive(Object)]
#[oai(rename = "Session")]
pub(super) struct SessionOut {
    #[oai(rename = "_id")]
    id: SessionId,
    /// The browser or app, as its `User-Agent` header names it.
    device: String,
    /// Network address from which the sign-in came.
    ip: String,
    created_at: Timestamp,
    last_used_at: Timestamp,
    /// Time at which the session ends unless it is refreshed before.
    expires_at: Timestamp,
    /// Whether this call belongs to the session.
    current: bool,
}

/// The sessions of the caller.
#[derive(Object)]
#[oai(rename = "Sessions", example)]
pub struct SessionsOut {
    sessions: Vec<SessionOut>,
}

impl SessionsOut {
    /// Creates the list. `current` is the session of the call.
    pub fn new(sessions: Vec<SessionDoc>, current: SessionId) -> Self {
        let out = |session: SessionDoc| SessionOut {
            id: session.id,
            device: session.device,
            ip: session.ip,
            created_at: session.created_at,
            last_used_at: session.last_used_at,
            expires_at: session.expires_at,
            current: session.id == current,
        };
        Self { sessions: sessions.into_iter().map(out).collect() }
    }
}

impl Example for SessionsOut {
    fn example() -> Self {
        let at = examples::NOW;
        let session = SessionOut {
            id: SessionId::from([0x68; 12]),
            device: "Mozilla/5.0 (X11; Linux x86_64)".to_owned(),
            ip: "203.0.113.57".to_owned(),
            created_at: at,
            last_used_at: at,
            expires_at: examples::NEXT_WEEK,
            current: true,
        };
        Self { sessions: vec![session] }
    }
}

#[derive(ApiResponse)]
pub(super) enum Registered {
    /// The account was created, and its owner is signed in.
    #[oai(status = 201)]
    Created(
        Json<RegisteredOut>,
        /// Sets the cookie `refresh_token`.
        #[oai(header = "Set-Cookie")]
        String,
    ),
}

#[derive(ApiResponse)]
pub(super) enum WithCookie<T: poem_openapi::types::ToJSON> {
    /// The call succeeded.
    #[oai(status = 200)]
    Ok(
        Json<T>,
        /// Sets the cookie `refresh_token`.
        #[oai(header = "Set-Cookie")]
        String,
    ),
}
