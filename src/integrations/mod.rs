//! The world outside the process.

pub mod clock;
pub mod images;
pub(crate) mod sms;
