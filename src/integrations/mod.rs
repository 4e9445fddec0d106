//! The world outside the process.

pub mod clock;
pub mod images;
pub mod mail;
pub(crate) mod sms;
