//! How refusals of pictures are answered.

use crate::{
    error::{ApiError, ErrorCode, Refusal},
    services::photo::PhotoError,
};

impl Refusal for PhotoError {
    const CODES: &'static [ErrorCode] = &[ErrorCode::InvalidInput, ErrorCode::TooManyRequests];

    fn into_error(self) -> ApiError {
        let text = self.to_string();
        match self {
            Self::Invalid(_) => ApiError::new(ErrorCode::InvalidInput, text).with_field("image"),
            Self::Limited(error) => error.into(),
            Self::SignedOut => ApiError::new(ErrorCode::InvalidAccessToken, text),
            Self::Storage(error) => {
                tracing::error!(%error, "a picture can't be kept");
                ApiError::internal()
            }
            Self::Store(error) => error.into(),
        }
    }
}
