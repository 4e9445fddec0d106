//! The world outside the process.

pub mod clock;
