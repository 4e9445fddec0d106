//! Conversion of refusals about codes (OTPs) into answers.

use crate::{
    accounts::{
        change_number::ChangeNumberError, hashing::HashError, otp::OtpError, otp_registration::OtpRegisterError,
        registration::RegisterError, reset_by_code::ResetByCodeError, sign_in::ReauthenticationError, sms::SmsError,
    },
    api::error::refusals,
    db::StoreError,
    limits::LimitError,
    values::invalid::InvalidField,
};

refusals! {
    SmsError {
        codes {
            Number => InvalidInput ["phone_number"],
            TooMany => TooManyRequests after 600,
            Unavailable => SmsUnavailable,
        }
    }
    OtpError {
        codes { Invalid => InvalidOtp ["otp"], Spent => OtpSpent after 30 }
        causes { Limited: LimitError, Number: InvalidField, Sms: SmsError, Store: StoreError }
    }
    OtpRegisterError {
        codes { Incomplete => InvalidInput ["phone_number", "otp"], NothingPending => NothingPending ["phone_number"] }
        causes { Register: RegisterError, Otp: OtpError }
    }
    ResetByCodeError {
        codes {
            Incomplete => InvalidInput ["phone_number", "otp"],
            NothingToSet => InvalidInput ["reset_token", "new_password"],
            BadToken => InvalidResetToken ["reset_token"],
        }
        cases { NoRandomness(_cause, _text) => [Internal] ApiError::internal() }
        causes { Invalid: InvalidField, Otp: OtpError, Hashing: HashError, Store: StoreError }
    }
    ChangeNumberError {
        codes {
            Incomplete => InvalidInput ["phone_number", "otp"],
            Taken => PhoneNumberTaken ["phone_number"],
            SignedOut => InvalidAccessToken,
        }
        causes { Otp: OtpError, Reauthentication: ReauthenticationError, Store: StoreError }
    }
}
