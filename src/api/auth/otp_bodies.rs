//! Bodies of the requests and answers of the calls about codes (OTPs).

use poem_openapi::{ApiResponse, Object, payload::Json, types::Example};
use serde::Deserialize;

use crate::{
    accounts::{rules::password::Password, tokens::sealed::ResetToken},
    api::fields::{CodeIn, Digits, PasswordIn, TokenIn},
    app::App,
    values::limits::Action,
};

/// A phone number and the code that was sent to it.
#[derive(Object, Deserialize)]
#[oai(rename = "Otp", example)]
pub struct OtpIn {
    /// Phone number in any common notation.
    phone_number: Option<Digits>,
    otp: Option<CodeIn>,
    /// The `challenge` of the answer to the call that sent the code; for apps without a cookie jar.
    challenge: Option<TokenIn>,
}

impl OtpIn {
    /// Returns the challenge, or `None` if it is missing or empty.
    pub fn challenge(&self) -> Option<&str> {
        self.challenge.as_ref().map(|challenge| challenge.0.as_str()).filter(|text| !text.is_empty())
    }

    /// Returns the phone number and the code. Each is `None` if it is missing or empty.
    pub fn both(self) -> (Option<String>, Option<String>) {
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        (given(self.phone_number.map(|digits| digits.0)), given(self.otp.map(|code| code.0)))
    }
}

impl Example for OtpIn {
    fn example() -> Self {
        Self {
            phone_number: Some(Digits("9876543210".to_owned())),
            otp: Some(CodeIn("123456".to_owned())),
            challenge: None,
        }
    }
}

/// The account whose password was forgotten, named by its phone number.
#[derive(Object, Deserialize)]
#[oai(rename = "ForgotPassword", example)]
pub(super) struct ForgotIn {
    /// Phone number in any common notation.
    pub(super) phone_number: Option<Digits>,
}

impl Example for ForgotIn {
    fn example() -> Self {
        Self { phone_number: Some(Digits("9876543210".to_owned())) }
    }
}

/// A new password, and the token that allows it.
#[derive(Object, Deserialize)]
#[oai(rename = "ResetPassword", example)]
pub(super) struct ResetByCodeIn {
    reset_token: Option<TokenIn>,
    /// Another name of `reset_token`, which an old frontend uses.
    refresh_token: Option<TokenIn>,
    /// 8 to 72 bytes with an upper-case and a lower-case letter, a digit and a special character, and not easy to
    /// guess.
    new_password: Option<PasswordIn>,
}

impl ResetByCodeIn {
    /// Returns the token and the password. Each is `None` if it is missing or empty.
    pub(super) fn both(self) -> (Option<String>, Option<Password>) {
        let token = self.reset_token.or(self.refresh_token).map(|token| token.0).filter(|text| !text.is_empty());
        let password = self.new_password.map(|password| password.0).filter(|password| !password.expose().is_empty());
        (token, password)
    }
}

impl Example for ResetByCodeIn {
    fn example() -> Self {
        let new_password = Some(PasswordIn(Password::new("Cl0sed-loop!".to_owned())));
        Self { reset_token: Some(TokenIn(EXAMPLE_TOKEN.to_owned())), refresh_token: None, new_password }
    }
}

const EXAMPLE_TOKEN: &str = "awIi1lCEeUNhBNTEb2YxS2s0dWJzQ1Y3Mkp3bFhLZ3pQd0pTQ2FhQmNk";

/// The answer to a call that asks for a code.
#[derive(Object)]
#[oai(rename = "OtpSent", example)]
pub(super) struct OtpSentOut {
    message: String,
    /// Seconds for which the code is valid.
    expires_in: u64,
    /// Seconds after which another code can be asked for.
    resend_after: u64,
    /// The value of the cookie, for apps without a cookie jar.
    challenge: String,
}

impl OtpSentOut {
    pub(super) fn new(app: &App, message: &str, challenge: String) -> Self {
        let pause = app.config.limits.rate(Action::OtpPause).map_or(0, |rate| rate.window.as_secs());
        let expires_in = app.config.lifetimes.otp.as_secs();
        Self { message: message.to_owned(), expires_in, resend_after: pause, challenge }
    }
}

impl Example for OtpSentOut {
    fn example() -> Self {
        let message = "OTP sent successfully".to_owned();
        Self { message, expires_in: 600, resend_after: 30, challenge: EXAMPLE_TOKEN.to_owned() }
    }
}

/// A token that allows one new password.
#[derive(Object)]
#[oai(rename = "ResetToken", example)]
pub(super) struct ResetTokenOut {
    reset_token: String,
    /// Seconds for which the token is valid.
    expires_in: u64,
}

impl ResetTokenOut {
    pub(super) fn new(app: &App, token: &ResetToken) -> Self {
        Self { reset_token: token.expose(), expires_in: app.config.lifetimes.reset.as_secs() }
    }
}

impl Example for ResetTokenOut {
    fn example() -> Self {
        Self { reset_token: EXAMPLE_TOKEN.to_owned(), expires_in: 900 }
    }
}

#[derive(ApiResponse)]
pub(super) enum OtpSent {
    /// The request for a code was accepted.
    #[oai(status = 200)]
    Ok(
        Json<OtpSentOut>,
        /// Sets the cookie `otp_challenge` or `reset_challenge`.
        #[oai(header = "Set-Cookie")]
        String,
    ),
}
