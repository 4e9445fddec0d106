//! Why an import ends before its file does.

use std::io;

use crate::db::StoreError;

/// Why an import ends before the file does. What was written until then stays: importing the file again goes on.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// There is nothing in it.
    #[error("the file is empty")]
    Empty,
    /// The first line doesn't name the columns.
    #[error("{0}")]
    Header(String),
    /// It can't be read to its end.
    #[error("the file can't be read")]
    Unreadable(io::Error),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}
