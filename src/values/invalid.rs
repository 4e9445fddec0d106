//! Errors about input that breaks a rule. Each names the field and says what is wrong with it.

use std::borrow::Cow;

/// An error about one field of a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct InvalidField {
    /// Name of the field in the request.
    pub field: Cow<'static, str>,
    /// The whole message that the caller reads, such as "password is required".
    pub text: String,
}

impl InvalidField {
    /// Returns an error for a missing field, such as "password is required".
    pub fn required(field: impl Into<Cow<'static, str>>) -> Self {
        let field = field.into();
        Self { text: format!("{field} is required"), field }
    }

    /// Returns an error for an invalid field, such as "invalid price".
    pub fn invalid(field: impl Into<Cow<'static, str>>) -> Self {
        let field = field.into();
        Self { text: format!("invalid {field}"), field }
    }

    /// Returns an error whose message calls the field by another name than the request: "invalid photo" for the field
    /// "display.photo", which is inside another one.
    pub fn invalid_at(field: impl Into<Cow<'static, str>>, what: &str) -> Self {
        Self { field: field.into(), text: format!("invalid {what}") }
    }

    /// Returns an error that says why, such as "invalid phone number: must be 10-15 digits". `what` is the field's name
    /// as a reader would call it, and `why` is the rule.
    pub fn because(field: impl Into<Cow<'static, str>>, what: &str, why: impl std::fmt::Display) -> Self {
        Self { field: field.into(), text: format!("invalid {what}: {why}") }
    }
}
