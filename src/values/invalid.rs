//! Input that breaks a rule: which field, and the sentence that says why.

use std::borrow::Cow;

/// One field at fault. The text is the whole sentence that the caller reads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct InvalidField {
    /// The field's name in the request.
    pub field: Cow<'static, str>,
    /// What is wrong.
    pub text: String,
}

impl InvalidField {
    /// "password is required".
    pub fn required(field: impl Into<Cow<'static, str>>) -> Self {
        let field = field.into();
        Self { text: format!("{field} is required"), field }
    }

    /// "invalid price".
    pub fn invalid(field: impl Into<Cow<'static, str>>) -> Self {
        let field = field.into();
        Self { text: format!("invalid {field}"), field }
    }

    /// "invalid photo", where the field is inside another one: "display.photo".
    pub fn invalid_at(field: impl Into<Cow<'static, str>>, what: &str) -> Self {
        Self { field: field.into(), text: format!("invalid {what}") }
    }

    /// "invalid phone number: must be 10-15 digits", where `what` is the field in a person's words.
    pub fn because(field: impl Into<Cow<'static, str>>, what: &str, why: impl std::fmt::Display) -> Self {
        Self { field: field.into(), text: format!("invalid {what}: {why}") }
    }
}
