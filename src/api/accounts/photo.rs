//! Conversion of refusals of pictures into answers.

use crate::{
    accounts::photo::PhotoError,
    api::error::{ApiError, ErrorCode, Refusal},
    images::drawing::ImageError,
};

impl Refusal for PhotoError {
    const CODES: &'static [ErrorCode] =
        &[ErrorCode::InvalidInput, ErrorCode::TooManyRequests, ErrorCode::ImageStoreUnavailable, ErrorCode::TooBusy];

    fn into_error(self) -> ApiError {
        let text = self.to_string();
        match self {
            Self::Image(error) => error.into_error(),
            Self::Limited(error) => error.into(),
            Self::SignedOut => ApiError::new(ErrorCode::InvalidAccessToken, text),
            Self::Store(error) => error.into(),
        }
    }
}

impl Refusal for ImageError {
    const CODES: &'static [ErrorCode] =
        &[ErrorCode::InvalidInput, ErrorCode::ImageStoreUnavailable, ErrorCode::TooBusy, ErrorCode::StorageFull];

    fn into_error(self) -> ApiError {
        let text = self.to_string();
        match self {
            Self::Invalid(_) => ApiError::new(ErrorCode::InvalidInput, text).with_field("image"),
            Self::Busy => ApiError::new(ErrorCode::TooBusy, text),
            Self::Full => ApiError::new(ErrorCode::StorageFull, text),
            Self::Unavailable(_) => ApiError::new(ErrorCode::ImageStoreUnavailable, text),
            Self::Store(error) => error.into(),
        }
    }
}
