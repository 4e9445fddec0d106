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
    /// The file is packed.
    #[error("the file is compressed; unpack it and send it as it is")]
    Packed,
    /// The file is a PDF, a web page or another document.
    #[error("the file is a document or a web page; save the sheet as CSV UTF-8")]
    Document,
    /// The file is JSON, but was sent as CSV.
    #[error("the file is JSON; send one object in each line as application/x-ndjson")]
    JsonAsCsv,
    /// The file is one JSON array.
    #[error("the file is a JSON array; write one object in each line, without the brackets and commas around them")]
    JsonArray,
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
