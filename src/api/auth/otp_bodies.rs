//! What the calls around codes take and answer.

use poem_openapi::{ApiResponse, Object, payload::Json, types::Example};
use serde::Deserialize;

use crate::{
    api::fields::{CodeIn, Digits, PasswordIn, TokenIn},
    app::App,
    domain::{limits::Action, password::Password, tokens::sealed::ResetToken},
};

/// A number and the code that was sent to it.
#[derive(Object, Deserialize)]
#[oai(rename = "Otp", example)]
pub struct OtpIn {
    /// In any usual spelling.
    phone_number: Option<Digits>,
    otp: Option<CodeIn>,
}

impl OtpIn {
    /// Number and code, where they were given.
    pub fn both(self) -> (Option<String>, Option<String>) {
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        (given(self.phone_number.map(|digits| digits.0)), given(self.otp.map(|code| code.0)))
    }
}

impl Example for OtpIn {
    fn example() -> Self {
        Self { phone_number: Some(Digits("9876543210".to_owned())), otp: Some(CodeIn("123456".to_owned())) }
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
}

impl OtpSentOut {
    pub(super) fn new(app: &App) -> Self {
        let pause = app.config.limits.rate(Action::OtpPause).map_or(0, |rate| rate.window.as_secs());
        let message = "OTP sent successfully".to_owned();
        Self { message, expires_in: app.config.lifetimes.otp.as_secs(), resend_after: pause }
    }
}

impl Example for OtpSentOut {
    fn example() -> Self {
        Self { message: "OTP sent successfully".to_owned(), expires_in: 600, resend_after: 30 }
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
        /// The cookie `otp_challenge`.
        #[oai(header = "Set-Cookie")]
        String,
    ),
}
