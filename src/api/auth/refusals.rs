//! Conversion of refusals around sign-up, sign-in and sessions into answers.

use crate::{
    accounts::{
        hashing::HashError,
        refresh::RefreshError,
        registration::RegisterError,
        sessions::LogoutError,
        sign_in::{ReauthenticationError, SignInError},
    },
    api::error::{ApiError, ErrorCode, Refusal, refusals},
    db::StoreError,
    limits::LimitError,
    values::invalid::InvalidField,
};

refusals! {
    RegisterError {
        codes {
            PhoneTaken => PhoneNumberTaken ["phone_number"],
            UsernameTaken => UsernameTaken ["username"],
            EmailTaken => EmailTaken ["email"],
        }
        causes { Invalid: InvalidField, Limited: LimitError, Hashing: HashError, Store: StoreError }
    }
    SignInError {
        codes { WrongCredentials => InvalidCredentials, Disabled => AccountDisabled }
        causes { Invalid: InvalidField, Limited: LimitError, Hashing: HashError, Store: StoreError }
    }
    ReauthenticationError {
        codes { Required => ReauthenticationRequired ["current_password"], SignedOut => InvalidAccessToken }
        causes { NotConfirmed: SignInError as NotConfirmed, Store: StoreError }
    }
    RefreshError {
        codes { Required => RefreshTokenRequired, Invalid => InvalidRefreshToken, Revoked => RefreshTokenRevoked }
        causes { Store: StoreError }
    }
    LogoutError {
        codes { Required => TokensRequired, Invalid => InvalidAccessToken }
        causes { Store: StoreError }
    }
}

/// The refusal of a signed-in caller's current password. A wrong password is a 400 here and not a 401, because the
/// access token is valid.
pub struct NotConfirmed(pub SignInError);

impl Refusal for NotConfirmed {
    fn codes() -> Vec<ErrorCode> {
        let confirmed = |code| if code == ErrorCode::InvalidCredentials { ErrorCode::WrongPassword } else { code };
        SignInError::codes().into_iter().map(confirmed).collect()
    }

    fn into_error(self) -> ApiError {
        match self.0 {
            SignInError::WrongCredentials => {
                ApiError::new(ErrorCode::WrongPassword, "current password is incorrect").with_field("current_password")
            }
            refusal => refusal.into_error(),
        }
    }
}
