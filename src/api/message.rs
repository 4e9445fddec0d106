//! Answers that only confirm that something was done.

use poem_openapi::{Object, types::Example};

/// A sentence that says what was done.
#[derive(Object)]
#[oai(rename = "Message", example)]
pub struct MessageOut {
    message: String,
}

impl MessageOut {
    /// Creates the answer with this sentence.
    pub fn new(message: &str) -> Self {
        Self { message: message.to_owned() }
    }
}

impl Example for MessageOut {
    fn example() -> Self {
        Self::new("logged out successfully")
    }
}
