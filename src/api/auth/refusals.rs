//! Conversion of refusals around sign-up, sign-in and sessions into answers.

use crate::{
    accounts::{
        refresh::RefreshError,
        registration::RegisterError,
        sessions::LogoutError,
        sign_in::{ReauthenticationError, SignInError},
    },
    api::error::{ApiError, ErrorCode, Refusal},
};

impl Refusal for RegisterError {
    const CODES: &'static [ErrorCode] = &[
        ErrorCode::InvalidInput,
        ErrorCode::PhoneNumberTaken,
        ErrorCode::UsernameTaken,
        ErrorCode::EmailTaken,
        ErrorCode::TooManyRequests,
        ErrorCode::TooBusy,
    ];

    fn into_error(self) -> ApiError {
        let text = self.to_string();
        match self {
            Self::Invalid(invalid) => invalid.into(),
            Self::PhoneTaken => ApiError::new(ErrorCode::PhoneNumberTaken, text).with_field("phone_number"),
            Self::UsernameTaken => ApiError::new(ErrorCode::UsernameTaken, text).with_field("username"),
            Self::EmailTaken => ApiError::new(ErrorCode::EmailTaken, text).with_field("email"),
            Self::Limited(error) => error.into(),
            Self::Hashing(error) => error.into(),
            Self::Store(error) => error.into(),
        }
    }
}

impl Refusal for SignInError {
    const CODES: &'static [ErrorCode] = &[
        ErrorCode::InvalidInput,
        ErrorCode::InvalidCredentials,
        ErrorCode::AccountDisabled,
        ErrorCode::TooManyRequests,
        ErrorCode::TooBusy,
    ];

    fn into_error(self) -> ApiError {
        let text = self.to_string();
        match self {
            Self::Invalid(invalid) => invalid.into(),
            Self::WrongCredentials => ApiError::new(ErrorCode::InvalidCredentials, text),
            Self::Disabled => ApiError::new(ErrorCode::AccountDisabled, text),
            Self::Limited(error) => error.into(),
            Self::Hashing(error) => error.into(),
            Self::Store(error) => error.into(),
        }
    }
}

/// Converts the refusal of a signed-in caller's current password. A wrong password is a 400 here and not a 401, because
/// the access token is valid.
pub fn not_confirmed(refusal: SignInError) -> ApiError {
    match refusal {
        SignInError::WrongCredentials => {
            ApiError::new(ErrorCode::WrongPassword, "current password is incorrect").with_field("current_password")
        }
        refusal => refusal.into_error(),
    }
}

impl From<ReauthenticationError> for ApiError {
    fn from(error: ReauthenticationError) -> Self {
        let text = error.to_string();
        match error {
            ReauthenticationError::NotConfirmed(refusal) => not_confirmed(refusal),
            ReauthenticationError::Required => {
                Self::new(ErrorCode::ReauthenticationRequired, text).with_field("current_password")
            }
            ReauthenticationError::SignedOut => Self::new(ErrorCode::InvalidAccessToken, text),
            ReauthenticationError::Store(error) => error.into(),
        }
    }
}

impl Refusal for RefreshError {
    const CODES: &'static [ErrorCode] =
        &[ErrorCode::RefreshTokenRequired, ErrorCode::InvalidRefreshToken, ErrorCode::RefreshTokenRevoked];

    fn into_error(self) -> ApiError {
        let text = self.to_string();
        match self {
            Self::Required => ApiError::new(ErrorCode::RefreshTokenRequired, text),
            Self::Invalid => ApiError::new(ErrorCode::InvalidRefreshToken, text),
            Self::Revoked => ApiError::new(ErrorCode::RefreshTokenRevoked, text),
            Self::Store(error) => error.into(),
        }
    }
}

impl Refusal for LogoutError {
    const CODES: &'static [ErrorCode] = &[ErrorCode::TokensRequired, ErrorCode::InvalidAccessToken];

    fn into_error(self) -> ApiError {
        let text = self.to_string();
        match self {
            Self::Required => ApiError::new(ErrorCode::TokensRequired, text),
            Self::Invalid => ApiError::new(ErrorCode::InvalidAccessToken, text),
            Self::Store(error) => error.into(),
        }
    }
}
