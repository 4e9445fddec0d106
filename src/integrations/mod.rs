//! The world outside the process.

pub mod clock;
pub(crate) mod sms;
