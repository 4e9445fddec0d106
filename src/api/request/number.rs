//! `/api/request/verify-number/`: a new phone number for the caller's account.

use std::sync::Arc;

use poem_openapi::{Object, OpenApi, payload::Json, types::Example};
use serde::Deserialize;

use crate::{
    accounts::{
        change_number::{self, ChangeNumberError},
        otp::OtpError,
        rules::password::Password,
    },
    api::{
        Group,
        access::{AnyOrigin, Customer},
        auth::OtpIn,
        body::Body,
        error::ApiResult,
        fields::{Digits, PasswordIn, given_phone, optional_password, required},
        message::MessageOut,
        user_out::UserOut,
    },
    app::App,
    values::phone::E164,
};

/// Handlers of `/api/request/verify-number/`.
pub struct NumberApi(pub Arc<App>);

#[OpenApi(prefix_path = "/api/request/verify-number", tag = "Group::Request")]
impl NumberApi {
    /// Sends an OTP to the new phone number of the account
    ///
    /// The number may also be the account's own number, to prove it.
    #[oai(path = "/send", method = "post", operation_id = "sendNumberOtp")]
    async fn send(
        &self,
        caller: Customer,
        origin: AnyOrigin,
        body: Body<NumberIn>,
    ) -> ApiResult<Json<MessageOut>, ChangeNumberError> {
        let number = required("phone_number", body.0.phone_number)?;
        let number = given_phone(&number, self.0.config.default_region)?;
        let current = optional_password(body.0.current_password);
        change_number::send(&self.0, caller.session, &number, current, &origin.0).await?;
        Ok(Json(MessageOut::new("OTP sent successfully")))
    }

    /// Gives the account the phone number that the OTP proves
    #[oai(path = "/verify", method = "post", operation_id = "verifyNumberOtp")]
    async fn verify(
        &self,
        caller: Customer,
        origin: AnyOrigin,
        body: Body<OtpIn>,
    ) -> ApiResult<Json<NumberVerifiedOut>, ChangeNumberError> {
        let (Some(number), Some(code)) = body.0.both() else { return Err(ChangeNumberError::Incomplete.into()) };
        let number = E164::parse(&number, self.0.config.default_region);
        let number = number.map_err(|_| ChangeNumberError::Otp(OtpError::Invalid))?;
        let account = change_number::verify(&self.0, caller.session, &number, &code, &origin.0).await?;
        Ok(Json(NumberVerifiedOut::new(UserOut::from(&account))))
    }
}

/// The new phone number of an account.
#[derive(Object, Deserialize)]
#[oai(rename = "ChangeNumber", example)]
struct NumberIn {
    /// Phone number in any common notation.
    phone_number: Option<Digits>,
    /// Required unless the sign-in is less than 10 minutes old.
    current_password: Option<PasswordIn>,
}

impl Example for NumberIn {
    fn example() -> Self {
        Self {
            phone_number: Some(Digits("9876543210".to_owned())),
            current_password: Some(PasswordIn(Password::new("Br4ke-pads!".to_owned()))),
        }
    }
}

/// The account with its proven phone number.
#[derive(Object)]
#[oai(rename = "NumberVerified", example)]
struct NumberVerifiedOut {
    message: String,
    user: UserOut,
}

impl NumberVerifiedOut {
    fn new(user: UserOut) -> Self {
        Self { message: "phone number verified successfully".to_owned(), user }
    }
}

impl Example for NumberVerifiedOut {
    fn example() -> Self {
        Self::new(UserOut::example())
    }
}
