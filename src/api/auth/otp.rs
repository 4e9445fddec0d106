//! `/api/auth/register/…-otp/` and `/api/auth/forgot-password/`: what a phone proves.

use std::sync::Arc;

use poem_openapi::{OpenApi, payload::Json};

use super::{
    bodies::{RegisterIn, Registered, RegisteredOut},
    cookie,
    otp_bodies::{ForgotIn, OtpIn, OtpSent, OtpSentOut, ResetIn, ResetTokenOut},
};
use crate::{
    accounts::{
        otp::OtpError,
        otp_registration::{self, OtpRegisterError},
        registration::{NewAccount, RegisterError},
        reset_by_code::{self, ForgotError},
        tokens::sealed::{open_challenge, seal_challenge},
    },
    api::{
        Group,
        access::TrustedOrigin,
        body::Body,
        error::ApiResult,
        fields::{given_phone, required},
        message::MessageOut,
    },
    app::App,
    values::{ids::ChallengeId, phone::E164},
};

/// The handlers.
pub struct OtpApi {
    app: Arc<App>,
}

#[OpenApi(prefix_path = "/api/auth", tag = "Group::Auth")]
impl OtpApi {
    /// Sign up with an OTP: ask for it
    ///
    /// The account waits for the code, bound to this browser by the cookie `otp_challenge`; apps without a cookie jar send
    /// `challenge` back.
    #[oai(path = "/register/send-otp", method = "post", operation_id = "sendRegistrationOtp")]
    async fn send(&self, origin: TrustedOrigin, body: Body<RegisterIn>) -> ApiResult<OtpSent, OtpRegisterError> {
        let checked = NewAccount::check(body.0.into(), self.app.config.default_region);
        let account = checked.map_err(|invalid| OtpRegisterError::Register(RegisterError::from(invalid)))?;
        let challenge = otp_registration::send(&self.app, account, &origin.0).await?;
        let challenge = seal_challenge(&self.app.keys.otp[0], challenge);
        let cookie = cookie::set_sign_up_challenge(&self.app, &challenge);
        Ok(OtpSent::Ok(Json(OtpSentOut::new(&self.app, "OTP sent successfully", challenge)), cookie))
    }

    /// Sign up with an OTP: prove the number
    #[oai(path = "/register/verify-otp", method = "post", operation_id = "verifyRegistrationOtp")]
    async fn verify(&self, origin: TrustedOrigin, body: Body<OtpIn>) -> ApiResult<Registered, OtpRegisterError> {
        let challenge = self.challenge(&body.0, origin.0.sign_up_challenge).map_err(OtpRegisterError::from)?;
        let (Some(number), Some(code)) = body.0.both() else { return Err(OtpRegisterError::Incomplete.into()) };
        let number = self.number(&number).ok_or(OtpRegisterError::NothingPending)?;
        let signed_in = otp_registration::verify(&self.app, &number, &code, challenge, &origin.0).await?;
        origin.1.set(&cookie::known_browser(&self.app, signed_in.account.id));
        let cookie = cookie::set(&self.app, &signed_in);
        let message = "user verified and registered successfully";
        Ok(Registered::Created(Json(RegisteredOut::new(message, signed_in, None)), cookie))
    }

    /// Forgotten password: ask for an OTP
    ///
    /// The answer is the same whether or not there is an account with the number. The cookie `reset_challenge` binds the
    /// code to this browser; apps without a cookie jar send `challenge` back.
    #[oai(path = "/forgot-password/send", method = "post", operation_id = "sendPasswordOtp")]
    async fn forgot(&self, origin: TrustedOrigin, body: Body<ForgotIn>) -> ApiResult<OtpSent, ForgotError> {
        let number = required("phone_number", body.0.phone_number)?;
        let number = given_phone(&number, self.app.config.default_region)?;
        let challenge = reset_by_code::send(&self.app, number, &origin.0).await?;
        let challenge = seal_challenge(&self.app.keys.otp[0], challenge);
        let cookie = cookie::set_reset_challenge(&self.app, &challenge);
        let message = "if an account with the number exists, an OTP was sent.";
        Ok(OtpSent::Ok(Json(OtpSentOut::new(&self.app, message, challenge)), cookie))
    }

    /// Forgotten password: exchange the OTP for a reset token
    #[oai(path = "/forgot-password/verify", method = "post", operation_id = "verifyPasswordOtp")]
    async fn forgot_verify(
        &self,
        origin: TrustedOrigin,
        body: Body<OtpIn>,
    ) -> ApiResult<Json<ResetTokenOut>, ForgotError> {
        let challenge = self.challenge(&body.0, origin.0.reset_challenge).map_err(ForgotError::from)?;
        let (Some(number), Some(code)) = body.0.both() else { return Err(ForgotError::Incomplete.into()) };
        let number = self.number(&number).ok_or(ForgotError::Otp(OtpError::Invalid))?;
        let token = reset_by_code::verify(&self.app, &number, &code, challenge, &origin.0).await?;
        Ok(Json(ResetTokenOut::new(&self.app, &token)))
    }

    /// Forgotten password: set a new one
    ///
    /// Every session of the account ends.
    #[oai(path = "/forgot-password/reset", method = "post", operation_id = "resetPasswordByOtp")]
    async fn forgot_reset(
        &self,
        origin: TrustedOrigin,
        body: Body<ResetIn>,
    ) -> ApiResult<Json<MessageOut>, ForgotError> {
        let (Some(token), Some(new)) = body.0.both() else { return Err(ForgotError::NothingToSet.into()) };
        reset_by_code::reset(&self.app, &token, new, &origin.0).await?;
        Ok(Json(MessageOut::new("password has been reset successfully")))
    }
}

impl OtpApi {
    /// Handlers over `app`.
    pub fn new(app: &Arc<App>) -> Self {
        Self { app: Arc::clone(app) }
    }

    /// The challenge of the body or, where it has none, of the cookie. One that isn't ours proves nothing.
    fn challenge(&self, body: &OtpIn, cookie: Option<ChallengeId>) -> Result<Option<ChallengeId>, OtpError> {
        match body.challenge() {
            None => Ok(cookie),
            Some(text) => open_challenge(&self.app.keys.otp, text).map(Some).ok_or(OtpError::Invalid),
        }
    }

    /// A number as typed; what is none has nothing to be verified.
    fn number(&self, typed: &str) -> Option<E164> {
        E164::parse(typed, self.app.config.default_region).ok()
    }
}
