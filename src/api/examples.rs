//! The values that the examples of the OpenAPI description share, so that one customer goes through all of them.

use super::fields::Line;
use crate::values::time::Timestamp;

/// The name of the customer.
pub const USERNAME: &str = "Asha Rao";
/// The e-mail address of the customer.
pub const EMAIL: &str = "asha@example.com";
/// The phone number of the customer.
pub const NUMBER: &str = "+919876543210";
/// The id of a request.
pub const REQUEST_ID: &str = "6741f0a2c3b4d5e6f7a8b9c0";
/// The time of everything that has happened: 2024-11-23T15:11:30Z.
pub const NOW: Timestamp = Timestamp::from_millis(1_732_374_690_000);
/// A week later.
pub const NEXT_WEEK: Timestamp = Timestamp::from_millis(1_732_979_490_000);

/// Returns a line of text as a caller sends it.
pub fn line(text: &str) -> Line {
    Line(text.to_owned())
}
