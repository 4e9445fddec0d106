//! What is wrong with a row.

use super::rows::{Column, Row};
use crate::values::invalid::InvalidField;

/// How many characters of a value a report repeats.
const LONGEST_VALUE: usize = 40;

/// The reason why a row fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// The column at fault; `None` if the row as a whole is at fault.
    pub(super) column: Option<Column>,
    /// A sentence for people.
    pub(super) text: String,
}

/// A row that failed and changed nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FailedRow {
    /// The number of the line in which the row begins; the first line of the file is 1.
    pub line: u64,
    /// Name of the column at fault; `None` if the row as a whole is at fault.
    pub column: Option<&'static str>,
    /// The first 40 characters in that column; `None` if there is no such cell.
    pub value: Option<String>,
    /// A sentence that tells what is wrong with the row.
    pub error: String,
}

impl Fault {
    /// Returns a fault of one column.
    pub(super) fn at(column: Column, text: impl Into<String>) -> Self {
        Self { column: Some(column), text: text.into() }
    }

    /// Returns a fault of the row as a whole.
    pub(super) fn of_row(text: impl Into<String>) -> Self {
        Self { column: None, text: text.into() }
    }

    /// Returns what a report says about the row, which begins in `line`.
    pub(super) fn report(self, line: u64, row: &Row) -> FailedRow {
        let value = self.column.and_then(|column| row.get(column)).map(beginning);
        FailedRow { line, column: self.column.map(Column::name), value, error: self.text }
    }
}

impl From<InvalidField> for Fault {
    fn from(invalid: InvalidField) -> Self {
        Self { column: Column::named(&invalid.field), text: invalid.text }
    }
}

/// Returns the first 40 characters of a text.
pub(super) fn beginning(text: &str) -> String {
    text.chars().take(LONGEST_VALUE).collect()
}
