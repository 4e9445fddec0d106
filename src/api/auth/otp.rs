//! `/api/auth/register/…-otp/` and `/api/auth/forgot-password/`: sign-up and password reset by codes in text messages.

use std::sync::Arc;

use poem_openapi::{OpenApi, payload::Json};

use super::{
    bodies::{RegisterIn, Registered, RegisteredOut},
    cookie,
    otp_bodies::{ForgotIn, OtpIn, OtpSent, OtpSentOut, ResetByCodeIn, ResetTokenOut},
};
use crate::{
    accounts::{
        otp::OtpError,
        otp_registration::{self, OtpRegisterError},
        registration::{NewAccount, RegisterError},
        reset_by_code::{self, ResetByCodeError},
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

/// Handlers of the calls about codes (OTPs) for sign-up and password reset.
pub struct OtpApi(pub Arc<App>);

#[OpenApi(prefix_path = "/api/auth", tag = "Group::Auth")]
impl OtpApi {
    /// Sends an OTP for a sign-up
    ///
    /// The account is created when the OTP is verified. The cookie `otp_challenge` binds the OTP to this browser. Apps
    /// without a cookie jar send back the `challenge` of the answer instead.
    #[oai(path = "/register/send-otp", method = "post", operation_id = "sendRegistrationOtp")]
    async fn send(&self, origin: TrustedOrigin, body: Body<RegisterIn>) -> ApiResult<OtpSent, OtpRegisterError> {
        let checked = NewAccount::check(body.0.into(), self.0.config.default_region);
        let account = checked.map_err(|invalid| OtpRegisterError::Register(RegisterError::from(invalid)))?;
        let challenge = otp_registration::send(&self.0, account, &origin.0).await?;
        let challenge = seal_challenge(&self.0.keys.otp[0], challenge);
        let cookie = cookie::set_sign_up_challenge(&self.0, &challenge);
        Ok(OtpSent::Ok(Json(OtpSentOut::new(&self.0, "OTP sent successfully", challenge)), cookie))
    }

    /// Completes a sign-up with the OTP
    ///
    /// Creates the account with its proven phone number, and signs its owner in.
    #[oai(path = "/register/verify-otp", method = "post", operation_id = "verifyRegistrationOtp")]
    async fn verify(&self, origin: TrustedOrigin, body: Body<OtpIn>) -> ApiResult<Registered, OtpRegisterError> {
        let challenge = self.challenge(&body.0, origin.0.sign_up_challenge).map_err(OtpRegisterError::from)?;
        let (Some(number), Some(code)) = body.0.both() else { return Err(OtpRegisterError::Incomplete.into()) };
        let number = self.number(&number).ok_or(OtpRegisterError::NothingPending)?;
        let signed_in = otp_registration::verify(&self.0, &number, &code, challenge, &origin.0).await?;
        origin.1.set(&cookie::known_browser(&self.0, signed_in.account.id));
        let cookie = cookie::set(&self.0, &signed_in);
        let message = "user verified and registered successfully";
        Ok(Registered::Created(Json(RegisteredOut::new(message, signed_in, None)), cookie))
    }

    /// Sends an OTP for a forgotten password
    ///
    /// The answer is the same whether or not an account has the phone number. The cookie `reset_challenge` binds the
    /// OTP to this browser. Apps without a cookie jar send back the `challenge` of the answer instead.
    #[oai(path = "/forgot-password/send", method = "post", operation_id = "sendPasswordOtp")]
    async fn forgot(&self, origin: TrustedOrigin, body: Body<ForgotIn>) -> ApiResult<OtpSent, ResetByCodeError> {
        let number = required("phone_number", body.0.phone_number)?;
        let number = given_phone(&number, self.0.config.default_region)?;
        let challenge = reset_by_code::send(&self.0, number, &origin.0).await?;
        let challenge = seal_challenge(&self.0.keys.otp[0], challenge);
        let cookie = cookie::set_reset_challenge(&self.0, &challenge);
        let message = "if an account with the number exists, an OTP was sent.";
        Ok(OtpSent::Ok(Json(OtpSentOut::new(&self.0, message, challenge)), cookie))
    }

    /// Exchanges the OTP for a token that allows a new password
    #[oai(path = "/forgot-password/verify", method = "post", operation_id = "verifyPasswordOtp")]
    async fn forgot_verify(
        &self,
        origin: TrustedOrigin,
        body: Body<OtpIn>,
    ) -> ApiResult<Json<ResetTokenOut>, ResetByCodeError> {
        let challenge = self.challenge(&body.0, origin.0.reset_challenge).map_err(ResetByCodeError::from)?;
        let (Some(number), Some(code)) = body.0.both() else { return Err(ResetByCodeError::Incomplete.into()) };
        let number = self.number(&number).ok_or(ResetByCodeError::Otp(OtpError::Invalid))?;
        let token = reset_by_code::verify(&self.0, &number, &code, challenge, &origin.0).await?;
        Ok(Json(ResetTokenOut::new(&self.0, &token)))
    }

    /// Sets a new password with the token
    ///
    /// Ends every session of the account.
    #[oai(path = "/forgot-password/reset", method = "post", operation_id = "resetPasswordByOtp")]
    async fn forgot_reset(
        &self,
        origin: TrustedOrigin,
        body: Body<ResetByCodeIn>,
    ) -> ApiResult<Json<MessageOut>, ResetByCodeError> {
        let (Some(token), Some(new)) = body.0.both() else { return Err(ResetByCodeError::NothingToSet.into()) };
        reset_by_code::reset(&self.0, &token, new, &origin.0).await?;
        Ok(Json(MessageOut::new("password has been reset successfully")))
    }
}

impl OtpApi {
    /// Returns the challenge of the body or, if the body has none, of the cookie. Fails like a wrong code if the
    /// challenge of the body was not issued by this shop.
    fn challenge(&self, body: &OtpIn, cookie: Option<ChallengeId>) -> Result<Option<ChallengeId>, OtpError> {
        match body.challenge() {
            None => Ok(cookie),
            Some(text) => open_challenge(&self.0.keys.otp, text).map(Some).ok_or(OtpError::Invalid),
        }
    }

    /// Parses a phone number. Returns `None` for a text that is not a phone number; no code can have been sent to it.
    fn number(&self, typed: &str) -> Option<E164> {
        E164::parse(typed, self.0.config.default_region).ok()
    }
}
