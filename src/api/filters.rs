//! Query parameters that filter and sort a list. An answer names all that are at fault.

use poem_openapi::param::Query;

use crate::values::{
    invalid::{Faults, InvalidField, InvalidFields},
    time::Timestamp,
};

/// The most characters of a text that is searched for.
const LONGEST_TEXT: usize = 100;

/// A query parameter as it was sent. An empty one counts as left out, because forms send all their fields.
pub type Text = Query<Option<String>>;

/// Reads the query parameters of a list, and keeps their faults in the order in which they were found.
#[derive(Debug, Default)]
pub struct ListParameters(Faults);

impl ListParameters {
    /// Returns what was read; `None` and remembers why, if it can't be read.
    pub fn keep<T>(&mut self, read: Result<T, InvalidField>) -> Option<T> {
        read.map_err(|fault| self.0.add(fault)).ok()
    }

    /// Reads a parameter by `read`, whose `None` means that the parameter is not what it must be. `rule` says what that
    /// is, such as "true or false". Returns `None` if the parameter is left out or at fault.
    pub fn read<T>(
        &mut self,
        name: &'static str,
        text: Text,
        rule: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = text.0.filter(|text| !text.trim().is_empty())?;
        let fault = || InvalidField { field: name.into(), text: format!("{name} must be {rule}") };
        self.keep(read(text.trim()).ok_or_else(fault))
    }

    /// Reads the text of a search, which may be left out.
    pub fn search_text(&mut self, text: Text) -> Option<String> {
        self.read("q", text, "at most 100 characters", |text| {
            (text.chars().count() <= LONGEST_TEXT).then(|| text.to_owned())
        })
    }

    /// Reads the text of a search, which must be there.
    pub fn required_search_text(&mut self, text: Text) -> Option<String> {
        let given = text.0.filter(|text| !text.trim().is_empty());
        let missing = || InvalidField { field: "q".into(), text: "missing required query parameter: q".to_owned() };
        let text = self.keep(given.ok_or_else(missing))?;
        self.read("q", Query(Some(text)), "1 to 100 characters", |text| {
            (text.chars().count() <= LONGEST_TEXT).then(|| text.to_owned())
        })
    }

    /// Reads a time: RFC 3339, a date, or whole Unix seconds. `parse` says what a date stands for.
    pub fn time<E>(
        &mut self,
        name: &'static str,
        text: Text,
        parse: impl FnOnce(&str) -> Result<Timestamp, E>,
    ) -> Option<Timestamp> {
        self.read(name, text, "RFC 3339, YYYY-MM-DD or Unix seconds", |text| parse(text).ok())
    }

    /// Fails if there are faults. The first one gives the sentence.
    pub fn check(self) -> Result<(), InvalidFields> {
        self.0.none_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_no_fault() {
        let mut faults = ListParameters::default();
        for empty in [None, Some(String::new()), Some(" ".to_owned())] {
            assert_eq!(faults.time("from", Query(empty), Timestamp::parse_from_query), None);
        }
        let offset = Query(Some("2023-11-14T23:13:20 01:00".to_owned()));
        assert_eq!(
            faults.time("from", offset, Timestamp::parse_from_query),
            Some(Timestamp::from_millis(1_700_000_000_000))
        );
        assert!(faults.check().is_ok());
    }
}
