//! What the calls around codes take and answer.

use poem_openapi::{ApiResponse, Object, payload::Json, types::Example};
use serde::Deserialize;

use crate::{
    accounts::{rules::password::Password, tokens::sealed::ResetToken},
    api::fields::{CodeIn, Digits, PasswordIn, TokenIn},
    app::App,
    values::limits::Action,
};

/// A number and the code that was sent to it.
#[derive(Object, Deserialize)]
#[oai(rename = "Otp", example)]
pub struct OtpIn {
    /// In any usual spelling.
    phone_number: Option<Digits>,
    otp: Option<CodeIn>,
    /// What came with the answer that sent the code, from apps without a cookie jar.
    challenge: Option<TokenIn>,
}

impl OtpIn {
    /// The challenge, where one was given.
    pub fn challenge(&self) -> Option<&str> {
        self.challenge.as_ref().map(|challenge| challenge.0.as_str()).filter(|text| !text.is_empty())
    }

    /// Number and code, where they were given.
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

/// Whose password is forgotten.
#[derive(Object, Deserialize)]
#[oai(rename = "ForgotPassword", example)]
pub(super) struct ForgotIn {
    /// In any usual spelling.
    pub(super) phone_number: Option<Digits>,
}

impl Example for ForgotIn {
    fn example() -> Self {
        Self { phone_number: Some(Digits("9876543210".to_owned())) }
    }
}

/// A new password, and what allows to set it.
#[derive(Object, Deserialize)]
#[oai(rename = "ResetPassword", example)]
pub(super) struct ResetIn {
    reset_token: Option<TokenIn>,
    /// The name that an old frontend uses for `reset_token`.
    refresh_token: Option<TokenIn>,
    /// 8 to 72 bytes with upper and lower case, a digit and a special character.
    new_password: Option<PasswordIn>,
}

impl ResetIn {
    /// Token and password, where they were given.
    pub(super) fn both(self) -> (Option<String>, Option<Password>) {
        let token = self.reset_token.or(self.refresh_token).map(|token| token.0).filter(|text| !text.is_empty());
        let password = self.new_password.map(|password| password.0).filter(|password| !password.expose().is_empty());
        (token, password)
    }
}

impl Example for ResetIn {
    fn example() -> Self {
        let new_password = Some(PasswordIn(Password::new("Cl0sed-loop!".to_owned())));
        Self { reset_token: Some(TokenIn(EXAMPLE_TOKEN.to_owned())), refresh_token: None, new_password }
    }
}

const EXAMPLE_TOKEN: &str = "awIi1lCEeUNhBNTEb2YxS2s0dWJzQ1Y3Mkp3bFhLZ3pQd0pTQ2FhQmNk";

/// A code was sent.
#[derive(Object)]
#[oai(rename = "OtpSent", example)]
pub(super) struct OtpSentOut {
    message: String,
    /// Seconds for which the code is good.
    expires_in: u64,
    /// Seconds until another can be asked for.
    resend_after: u64,
    /// For apps without a cookie jar: what the cookie holds.
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

/// The permission to set one new password.
#[derive(Object)]
#[oai(rename = "ResetToken", example)]
pub(super) struct ResetTokenOut {
    reset_token: String,
    /// Seconds for which it is good.
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
    /// The code is on its way.
    #[oai(status = 200)]
    Ok(
        Json<OtpSentOut>,
        /// The cookie `otp_challenge` or `reset_challenge`.
        #[oai(header = "Set-Cookie")]
        String,
    ),
}
