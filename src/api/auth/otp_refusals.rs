//! Conversion of refusals about codes (OTPs) into answers.

use crate::{
    accounts::{
        change_number::ChangeNumberError, otp::OtpError, otp_registration::OtpRegisterError,
        reset_by_code::CodeRequestError, sms::SmsError,
    },
    api::error::{ApiError, ErrorCode, Refusal},
};

impl From<SmsError> for ApiError {
    fn from(error: SmsError) -> Self {
        match error {
            SmsError::Number => Self::new(ErrorCode::InvalidInput, error.to_string()).with_field("phone_number"),
            SmsError::TooMany => Self::new(ErrorCode::TooManyRequests, error.to_string()).with_retry_after(600),
            SmsError::Unavailable => Self::new(ErrorCode::SmsUnavailable, error.to_string()),
        }
    }
}

impl From<OtpError> for ApiError {
    fn from(error: OtpError) -> Self {
        let text = error.to_string();
        match error {
            OtpError::Invalid => Self::new(ErrorCode::InvalidOtp, text).with_field("otp"),
            OtpError::Spent => Self::new(ErrorCode::OtpSpent, text).with_retry_after(30),
            OtpError::Limited(error) => error.into(),
            OtpError::Number(invalid) => invalid.into(),
            OtpError::Sms(error) => error.into(),
            OtpError::Store(error) => error.into(),
        }
    }
}

impl Refusal for OtpRegisterError {
    const CODES: &'static [ErrorCode] = &[
        ErrorCode::InvalidInput,
        ErrorCode::InvalidOtp,
        ErrorCode::PhoneNumberTaken,
        ErrorCode::UsernameTaken,
        ErrorCode::EmailTaken,
        ErrorCode::TooManyRequests,
        ErrorCode::SmsUnavailable,
        ErrorCode::TooBusy,
    ];

    fn into_error(self) -> ApiError {
        let text = self.to_string();
        match self {
            Self::Register(refusal) => refusal.into_error(),
            Self::Otp(error) => error.into(),
            Self::Incomplete => incomplete(text, ["phone_number", "otp"]),
            Self::NothingPending => ApiError::new(ErrorCode::NothingPending, text).with_field("phone_number"),
        }
    }
}

impl Refusal for CodeRequestError {
    const CODES: &'static [ErrorCode] = &[
        ErrorCode::InvalidInput,
        ErrorCode::InvalidOtp,
        ErrorCode::TooManyRequests,
        ErrorCode::SmsUnavailable,
        ErrorCode::TooBusy,
    ];

    fn into_error(self) -> ApiError {
        let text = self.to_string();
        match self {
            Self::Invalid(invalid) => invalid.into(),
            Self::Otp(error) => error.into(),
            Self::Incomplete => incomplete(text, ["phone_number", "otp"]),
            Self::NothingToSet => incomplete(text, ["reset_token", "new_password"]),
            Self::BadToken => ApiError::new(ErrorCode::InvalidResetToken, text).with_field("reset_token"),
            Self::Hashing(error) => error.into(),
            Self::NoRandomness(_) => ApiError::internal(),
            Self::Store(error) => error.into(),
        }
    }
}

impl Refusal for ChangeNumberError {
    const CODES: &'static [ErrorCode] = &[
        ErrorCode::InvalidInput,
        ErrorCode::WrongPassword,
        ErrorCode::InvalidOtp,
        ErrorCode::ReauthenticationRequired,
        ErrorCode::PhoneNumberTaken,
        ErrorCode::TooManyRequests,
        ErrorCode::SmsUnavailable,
    ];

    fn into_error(self) -> ApiError {
        let text = self.to_string();
        match self {
            Self::Otp(error) => error.into(),
            Self::Incomplete => incomplete(text, ["phone_number", "otp"]),
            Self::Taken => ApiError::new(ErrorCode::PhoneNumberTaken, text).with_field("phone_number"),
            Self::Reauthentication(refusal) => refusal.into(),
            Self::SignedOut => ApiError::new(ErrorCode::InvalidAccessToken, text),
            Self::Store(error) => error.into(),
        }
    }
}

/// Creates the error for a call that lacks one of two required fields. It names both.
fn incomplete(text: String, fields: [&str; 2]) -> ApiError {
    fields.into_iter().fold(ApiError::new(ErrorCode::InvalidInput, text), ApiError::with_field)
}
