//! The errors of flows as answers: each variant has a code, or passes on the refusal of another flow. The lists below
//! also say which codes the OpenAPI description names for a call.

use super::{ApiError, ErrorCode};
use crate::{
    accounts::hashing::HashError,
    db::StoreError,
    limits::LimitError,
    values::invalid::{InvalidField, InvalidFields},
};

/// An error type of a flow. Handlers convert it into an answer, and the OpenAPI description lists its codes. The macro
/// [`refusals!`] implements it from one list of variants and codes. The statuses 400, 500 and 503 are possible on every
/// call and are added by `http/contract.rs`, so types here may leave them out.
pub trait Refusal {
    /// Returns the codes of this type. The OpenAPI description lists their statuses.
    fn codes() -> Vec<ErrorCode>;

    /// Converts the refusal into an answer.
    fn into_error(self) -> ApiError;
}

impl<R: Refusal> From<R> for ApiError {
    fn from(refusal: R) -> Self {
        refusal.into_error()
    }
}

/// The refusals of calls that have none of their own. Such calls only fail in the ways in which every call can fail.
#[derive(Debug)]
pub enum Never {}

/// Implements [`Refusal`] for error types of flows. The text of an answer is the text of the error.
///
/// ```ignore
/// refusals! {
///     RegisterError {
///         // A code of its own, perhaps with the fields at fault and with seconds until a repetition makes sense.
///         codes { PhoneTaken => PhoneNumberTaken ["phone_number"], Spent => OtpSpent after 30 }
///         // Codes that depend on what the variant holds. All that are possible stand in front.
///         cases { NotFound(level, text) => [BrandNotFound, ModelNotFound] ApiError::new(level.into(), text) }
///         // The refusal of another flow; `as` wraps it in a type that answers it in another way.
///         causes { Invalid: InvalidField, NotConfirmed: SignInError as NotConfirmed }
///     }
/// }
/// ```
macro_rules! refusals {
    ($($error:ident {
        $(codes { $($variant:ident => $code:ident $([$($field:literal),+])? $(after $seconds:literal)?),+ $(,)? })?
        $(cases { $($case:ident($value:ident, $text:ident) => [$($listed:ident),+] $answer:expr),+ $(,)? })?
        $(causes { $($cause:ident: $inner:ident $(as $wrapper:ident)?),+ $(,)? })?
    })+) => {$(
        impl $crate::api::error::Refusal for $error {
            fn codes() -> Vec<$crate::api::error::ErrorCode> {
                #[allow(unused_mut, reason = "some errors have a list of one kind only")]
                let mut codes = Vec::new();
                $(codes.extend([$($crate::api::error::ErrorCode::$code),+]);)?
                $($(codes.extend([$($crate::api::error::ErrorCode::$listed),+]);)+)?
                $($(codes.extend(<refusals!(@answered $inner $($wrapper)?) as $crate::api::error::Refusal>::codes());)+)?
                codes
            }

            fn into_error(self) -> $crate::api::error::ApiError {
                #[allow(unused_imports, reason = "some errors have a list of one kind only")]
                use $crate::api::error::{ApiError, ErrorCode, Refusal};
                #[allow(unused, reason = "some errors only have causes")]
                let sentence = self.to_string();
                match self {
                    $($(Self::$variant { .. } => ApiError::new(ErrorCode::$code, sentence)
                        $($(.with_field($field))+)? $(.with_retry_after($seconds))?,)+)?
                    $($(Self::$case($value) => { let $text = sentence; $answer })+)?
                    $($(Self::$cause(error) => Refusal::into_error(refusals!(@wrapped error $($wrapper)?)),)+)?
                }
            }
        }
    )+};
    (@answered $inner:ident) => { $inner };
    (@answered $inner:ident $wrapper:ident) => { $wrapper };
    (@wrapped $error:ident) => { $error };
    (@wrapped $error:ident $wrapper:ident) => { $wrapper($error) };
}
pub(crate) use refusals;

impl Refusal for Never {
    fn codes() -> Vec<ErrorCode> {
        Vec::new()
    }

    fn into_error(self) -> ApiError {
        match self {}
    }
}

impl Refusal for StoreError {
    fn codes() -> Vec<ErrorCode> {
        vec![ErrorCode::DatabaseUnavailable, ErrorCode::TooBusy, ErrorCode::Internal]
    }

    fn into_error(self) -> ApiError {
        let error = match &self {
            Self::Unavailable(_) => {
                let text = "the shop is unavailable at the moment, try again soon";
                ApiError::new(ErrorCode::DatabaseUnavailable, text)
            }
            Self::Contended | Self::OutOfTime | Self::Overloaded => ApiError::new(ErrorCode::TooBusy, self.to_string()),
            Self::Duplicate | Self::Standalone | Self::Failed(_) => ApiError::internal(),
        };
        error.with_cause(self)
    }
}

impl Refusal for HashError {
    fn codes() -> Vec<ErrorCode> {
        vec![ErrorCode::InvalidInput, ErrorCode::TooBusy, ErrorCode::Stopping, ErrorCode::Internal]
    }

    fn into_error(self) -> ApiError {
        let text = self.to_string();
        match self {
            Self::Guessable(invalid) => invalid.into(),
            Self::Busy { retry_after } => ApiError::new(ErrorCode::TooBusy, text).with_retry_after(retry_after),
            Self::Stopping => ApiError::new(ErrorCode::Stopping, text),
            // The caller has hung up, so nobody reads this answer.
            Self::CallerLeft => ApiError::new(ErrorCode::TooBusy, text),
            Self::Failed => ApiError::internal(),
        }
    }
}

impl Refusal for LimitError {
    fn codes() -> Vec<ErrorCode> {
        vec![ErrorCode::TooManyRequests]
    }

    fn into_error(self) -> ApiError {
        let text = self.to_string();
        match self {
            Self::Exceeded { retry_after, .. } => {
                ApiError::new(ErrorCode::TooManyRequests, text).with_retry_after(retry_after)
            }
            Self::Store(error) => error.into(),
        }
    }
}

impl Refusal for InvalidField {
    fn codes() -> Vec<ErrorCode> {
        vec![ErrorCode::InvalidInput]
    }

    fn into_error(self) -> ApiError {
        ApiError::new(ErrorCode::InvalidInput, self.text).with_field(self.field)
    }
}

impl Refusal for InvalidFields {
    fn codes() -> Vec<ErrorCode> {
        InvalidField::codes()
    }

    fn into_error(self) -> ApiError {
        let mut error = ApiError::new(ErrorCode::InvalidInput, self.to_string());
        error.0.fields = self.iter().map(|fault| (fault.field.to_string(), fault.text.clone())).collect();
        error
    }
}
