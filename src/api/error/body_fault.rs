//! Reasons why a request body can't be read to its end.

use std::{error::Error, io};

use super::{ApiError, ErrorCode};

/// Why a body can't be read to its end although the caller still sends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyFault {
    /// The body arrives too slowly.
    #[error("the body came too slowly")]
    Slow,
    /// The body is larger than the call allows. Holds the words that name the limit.
    #[error("the body is too large: {0}")]
    TooLarge(&'static str),
    /// The memory for the bodies of all callers, or the share of this caller's address, is used up.
    #[error("too much is asked for at the moment")]
    NoRoom,
}

impl BodyFault {
    /// Returns the fault that caused an error from reading a body, or `None` if the error has another cause.
    pub fn behind(error: &(dyn Error + 'static)) -> Option<Self> {
        if let Some(fault) = error.downcast_ref::<Self>() {
            return Some(*fault);
        }
        let inside = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        let inside = inside.map(|inside| inside as &(dyn Error + 'static));
        inside.or_else(|| error.source()).and_then(Self::behind)
    }
}

impl From<BodyFault> for io::Error {
    fn from(fault: BodyFault) -> Self {
        Self::other(fault)
    }
}

impl From<BodyFault> for ApiError {
    fn from(fault: BodyFault) -> Self {
        let code = match fault {
            BodyFault::Slow => ErrorCode::RequestTimeout,
            BodyFault::TooLarge(_) => ErrorCode::BodyTooLarge,
            BodyFault::NoRoom => ErrorCode::TooBusy,
        };
        Self::new(code, fault.to_string())
    }
}
