//! Errors that end an import.

use std::io;

use crate::db::StoreError;

/// Why an import ended before the end of the file.
///
/// Rows that were written before stay. Importing the same file again writes the rest.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file is empty.
    #[error("the file is empty")]
    Empty,
    /// The file is a workbook of a spreadsheet.
    #[error("the file is a workbook; save the sheet as CSV UTF-8")]
    Workbook,
    /// The first line of a CSV file does not name the columns.
    #[error("{0}")]
    Header(String),
    /// The file could not be read to its end.
    #[error("the file can't be read")]
    Unreadable(io::Error),
    /// The database could not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}
