//! `/api/auth/register/…-otp/` and `/api/auth/forgot-password/`: what a phone proves.

use std::sync::Arc;

use poem_openapi::{OpenApi, payload::Json};

use super::{
    AuthApi,
    bodies::{RegisterIn, Registered, RegisteredOut},
    cookie,
    otp_bodies::{ForgotIn, OtpIn, OtpSent, OtpSentOut, ResetIn, ResetTokenOut},
};
use crate::{
    access::{AnyOrigin, TrustedOrigin},
    api::{
        Group,
        body::Body,
        fields::{given_phone, required},
        message::MessageOut,
    },
    app::App,
    domain::{phone::E164, tokens::sealed::seal_challenge},
    error::ApiResult,
    services::{
        forgot_password::{self, ForgotError},
        otp::OtpError,
        otp_registration::{self, OtpRegisterError},
        registration::{NewAccount, RegisterError},
    },
};

/// The handlers.
pub struct OtpApi {
    app: Arc<App>,
}

#[OpenApi(prefix_path = "/api/auth", tag = "Group::Auth")]
impl OtpApi {
    /// Sign up with an OTP: ask for it
    ///
    /// The account waits for the code, bound to this browser by the cookie `otp_challenge`.
    #[oai(path = "/register/send-otp", method = "post", operation_id = "sendRegistrationOtp")]
    async fn send(&self, origin: TrustedOrigin, body: Body<RegisterIn>) -> ApiResult<OtpSent, OtpRegisterError> {
        let checked = NewAccount::check(body.0.into(), self.app.config.default_region);
        let account = checked.map_err(|invalid| OtpRegisterError::Register(RegisterError::from(invalid)))?;
        let challenge = otp_registration::send(&self.app, account, &origin.0).await?;
        let cookie = cookie::set_challenge(&self.app, &seal_challenge(&self.app.keys.otp[0], challenge));
        Ok(OtpSent::Ok(Json(OtpSentOut::new(&self.app)), cookie))
    }

    /// Sign up with an OTP: prove the number
    #[oai(path = "/register/verify-otp", method = "post", operation_id = "verifyRegistrationOtp")]
    async fn verify(&self, origin: TrustedOrigin, body: Body<OtpIn>) -> ApiResult<Registered, OtpRegisterError> {
        let (Some(number), Some(code)) = body.0.both() else { return Err(OtpRegisterError::Incomplete.into()) };
        let number = self.number(&number).ok_or(OtpRegisterError::NothingPending)?;
        let challenge = origin.0.challenge;
        let signed_in = otp_registration::verify(&self.app, &number, &code, challenge, &origin.0).await?;
        let cookie = cookie::set(&self.app, &signed_in.refresh);
        let refresh = AuthApi::in_body(&self.app, &signed_in.refresh);
        let message = "user verified and registered successfully";
        Ok(Registered::Created(Json(RegisteredOut::new(message, signed_in, refresh)), cookie))
    }

    /// Forgotten password: ask for an OTP
    ///
    /// The answer is the same whether or not there is an account with the number.
    #[oai(path = "/forgot-password/send", method = "post", operation_id = "sendPasswordOtp")]
    async fn forgot(&self, origin: AnyOrigin, body: Body<ForgotIn>) -> ApiResult<Json<MessageOut>, ForgotError> {
        let number = required("phone_number", body.0.phone_number)?;
        let number = given_phone(&number, self.app.config.default_region)?;
        forgot_password::send(&self.app, number, &origin.0).await?;
        Ok(Json(MessageOut::new("if an account with the number exists, an OTP was sent.")))
    }

    /// Forgotten password: exchange the OTP for a reset token
    #[oai(path = "/forgot-password/verify", method = "post", operation_id = "verifyPasswordOtp")]
    async fn forgot_verify(&self, origin: AnyOrigin, body: Body<OtpIn>) -> ApiResult<Json<ResetTokenOut>, ForgotError> {
        let (Some(number), Some(code)) = body.0.both() else { return Err(ForgotError::Incomplete.into()) };
        let number = self.number(&number).ok_or(ForgotError::Otp(OtpError::Invalid))?;
        let token = forgot_password::verify(&self.app, &number, &code, &origin.0).await?;
        Ok(Json(ResetTokenOut::new(&self.app, &token)))
    }

    /// Forgotten password: set a new one
    ///
    /// Every session of the account ends.
    #[oai(path = "/forgot-password/reset", method = "post", operation_id = "resetPasswordByOtp")]
    async fn forgot_reset(&self, origin: AnyOrigin, body: Body<ResetIn>) -> ApiResult<Json<MessageOut>, ForgotError> {
        let (Some(token), Some(new)) = body.0.both() else { return Err(ForgotError::NothingToSet.into()) };
        forgot_password::reset(&self.app, &token, new, &origin.0).await?;
        Ok(Json(MessageOut::new("password has been reset successfully")))
    }
}

impl OtpApi {
    /// Handlers over `app`.
    pub fn new(app: &Arc<App>) -> Self {
        Self { app: Arc::clone(app) }
    }

    /// A number as typed; what is none has nothing to be verified.
    fn number(&self, typed: &str) -> Option<E164> {
        E164::parse(typed, self.app.config.default_region).ok()
    }
}
