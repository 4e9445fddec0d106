//! Errors about input that breaks a rule. Each names the field and says what is wrong with it, and a caller learns of all
//! of them at once.

use std::{borrow::Cow, collections::BTreeMap};

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

/// The most faults of each kind of which an answer tells. No body has that many fields, but a form may repeat names that
/// no field has, and a list may have many entries.
const MOST_FAULTS: usize = 50;

/// What is wrong with the fields of a request, collected while they are read and checked, so that a caller learns all of
/// it at once.
///
/// A field that can't be read, such as one of a wrong type, is left out of the body, and its fault waits here until the
/// check asks for the field. So the faults are in the order in which the check asks for the fields, which is the order
/// of the contract's tables. The answer's sentence is the first fault, missing fields first.
#[derive(Debug, Default)]
pub struct Faults {
    unreadable: BTreeMap<String, String>,
    missing: Vec<InvalidField>,
    wrong: Vec<InvalidField>,
    /// How many of `wrong` stand before a fault of the image, which is read last.
    before_image: usize,
}

impl Faults {
    /// Adds the fault of a field that can't be read, and so is left out of the body.
    pub fn add_unreadable(&mut self, field: String, text: String) {
        if self.unreadable.len() < MOST_FAULTS {
            self.unreadable.entry(field).or_insert(text);
        }
    }

    /// Adds a fault.
    pub fn add(&mut self, fault: InvalidField) {
        if self.wrong.len() < MOST_FAULTS {
            self.wrong.push(fault);
        }
    }

    /// Checks a text that must be there and not be blank. Returns `None` if it is at fault.
    pub fn required<T>(
        &mut self,
        field: impl Into<Cow<'static, str>>,
        text: Option<String>,
        check: impl FnOnce(&str) -> Result<T, InvalidField>,
    ) -> Option<T> {
        let field = field.into();
        if self.take_unreadable(&field) {
            return None;
        }
        let Some(text) = text.filter(|text| !text.is_empty()) else {
            self.add_missing(field);
            return None;
        };
        self.keep_fault(check(&text))
    }

    /// Checks a value that may be left out. Returns `None` if it is left out or at fault.
    pub fn optional<T, U>(
        &mut self,
        field: &str,
        value: Option<T>,
        check: impl FnOnce(T) -> Result<U, InvalidField>,
    ) -> Option<U> {
        if self.take_unreadable(field) {
            return None;
        }
        self.keep_fault(check(value?))
    }

    /// Adds that a field is missing.
    pub fn add_missing(&mut self, field: impl Into<Cow<'static, str>>) {
        if self.missing.len() < MOST_FAULTS {
            self.missing.push(InvalidField::required(field));
        }
    }

    /// Returns whether one of the fields was there and can't be read.
    pub fn is_unreadable(&self, fields: &[&str]) -> bool {
        fields.iter().any(|field| self.unreadable.contains_key(*field))
    }

    /// Reserves this place in the order for a fault of the image that was sent. Returns whether it has one already.
    pub fn reserve_for_image(&mut self) -> bool {
        let is_at_fault = self.take_unreadable("image");
        self.before_image = self.wrong.len();
        is_at_fault
    }

    /// Adds a fault of the image that was sent.
    pub fn add_of_image(&mut self, fault: InvalidField) {
        self.wrong.insert(self.before_image.min(self.wrong.len()), fault);
    }

    /// Returns how many faults were found by the check so far.
    pub fn count(&self) -> usize {
        self.missing.len() + self.wrong.len()
    }

    /// Returns whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.unreadable.is_empty() && self.missing.is_empty() && self.wrong.is_empty()
    }

    /// Returns the value of an optional field. Keeps the error instead, if there is one.
    pub fn sort_out<T>(&mut self, outcome: Option<Result<T, InvalidField>>) -> Option<T> {
        self.keep_fault(outcome?)
    }

    /// Returns `value` if nothing is wrong, and all faults otherwise.
    pub fn none_or<T>(self, value: T) -> Result<T, InvalidFields> {
        let unreadable = self.unreadable.into_iter().map(|(field, text)| InvalidField { field: field.into(), text });
        let mut faults = self.missing.into_iter().chain(self.wrong).chain(unreadable);
        match faults.next() {
            Some(first) => Err(InvalidFields { first, others: faults.collect() }),
            None => Ok(value),
        }
    }

    fn keep_fault<T>(&mut self, checked: Result<T, InvalidField>) -> Option<T> {
        checked.map_err(|fault| self.add(fault)).ok()
    }

    /// Moves the fault of a field that can't be read to its place in the order. Returns `false` if there is none.
    fn take_unreadable(&mut self, field: &str) -> bool {
        let Some((field, text)) = self.unreadable.remove_entry(field) else { return false };
        self.add(InvalidField { field: field.into(), text });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(faults: &mut Faults, name: Option<&str>, price: Option<&str>) -> Option<(String, u32)> {
        let name = faults.required("name", name.map(str::to_owned), |text| Ok(text.to_owned()));
        let price = faults.optional("price", price, |text| text.parse().map_err(|_| InvalidField::invalid("price")));
        Some((name?, price.unwrap_or_default()))
    }

    fn told(faults: Faults) -> String {
        faults.none_or(()).map_or_else(|faults| faults.to_string(), |()| String::new())
    }

    #[test]
    fn missing_fields_come_first_and_then_the_order_of_the_check() {
        let mut faults = Faults::default();
        assert_eq!(check(&mut faults, Some("Pad"), Some("5")), Some(("Pad".to_owned(), 5)));
        assert!(faults.is_empty());
        for (unreadable, name, price, first) in [
            (None, Some(""), Some("x"), "name is required"),
            (None, Some("Pad"), Some("x"), "invalid price"),
            (Some("price"), None, None, "name is required"),
            (Some("name"), None, Some("x"), "name must be a string"),
            (Some("other"), Some("Pad"), Some("x"), "invalid price"),
        ] {
            let mut faults = Faults::default();
            if let Some(field) = unreadable {
                faults.add_unreadable(field.to_owned(), format!("{field} must be a string"));
            }
            check(&mut faults, name, price);
            assert_eq!(told(faults), first);
        }
    }

    #[test]
    fn a_body_can_not_make_an_answer_long() {
        let mut faults = Faults::default();
        (0..1_000).for_each(|n| faults.add_unreadable(format!("f{n}"), "is given more than once".to_owned()));
        assert_eq!(faults.unreadable.len(), MOST_FAULTS);
        for n in 0..1_000 {
            faults.required(format!("images[{n}]._id"), None, |_| Ok(()));
            faults.add(InvalidField::invalid(format!("images[{n}].alt")));
        }
        assert_eq!((faults.missing.len(), faults.wrong.len()), (MOST_FAULTS, MOST_FAULTS));
    }

    #[test]
    fn a_fault_of_the_image_keeps_its_place() {
        let mut faults = Faults::default();
        faults.add(InvalidField::invalid("name"));
        faults.reserve_for_image();
        faults.add(InvalidField::invalid("offers"));
        faults.add_of_image(InvalidField::invalid("image"));
        let fields: Vec<_> = faults.wrong.into_iter().map(|fault| fault.field).collect();
        assert_eq!(fields, ["name", "image", "offers"]);
    }
}
