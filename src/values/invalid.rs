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

/// The errors about several fields of one request, at least one, in the order in which the contract lists the fields.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .first.text)]
pub struct InvalidFields {
    first: InvalidField,
    others: Vec<InvalidField>,
}

impl InvalidFields {
    /// Returns all errors.
    pub fn iter(&self) -> impl Iterator<Item = &InvalidField> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

/// The errors that were found so far, so that a caller learns of all of them at once.
#[derive(Debug, Default)]
pub struct Faults(Vec<InvalidField>);

impl Faults {
    /// Returns the value of an optional field. Keeps the error instead, if there is one.
    pub fn sort_out<T>(&mut self, outcome: Option<Result<T, InvalidField>>) -> Option<T> {
        match outcome? {
            Ok(value) => Some(value),
            Err(fault) => {
                self.0.push(fault);
                None
            }
        }
    }

    /// Returns `value` if there were no errors, and all errors otherwise.
    pub fn none_or<T>(self, value: T) -> Result<T, InvalidFields> {
        let mut faults = self.0.into_iter();
        match faults.next() {
            Some(first) => Err(InvalidFields { first, others: faults.collect() }),
            None => Ok(value),
        }
    }
}
