//! What a mail is about; the words are made when it is sent.

use serde::{Deserialize, Serialize};

/// The occasions on which the shop writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailKind {
    /// To an owner: the password was changed.
    PasswordChanged,
}
