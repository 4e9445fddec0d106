//! Answers that only say that something was done.

use poem_openapi::{Object, types::Example};

/// What was done.
#[derive(Object)]
#[oai(rename = "Message", example)]
pub struct MessageOut {
    message: String,
}

impl MessageOut {
    /// Says it.
    pub fn new(message: &str) -> Self {
        Self { message: message.to_owned() }
    }
}

impl Example for MessageOut {
    fn example() -> Self {
        Self::new("logged out successfully")
    }
}
