//! Errors of reading the catalogue.

use crate::{db::StoreError, values::tree_level::TreeLevel};

/// Why the catalogue could not be read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CatalogueError {
    /// Nothing has the code. Holds the first level on which something is missing.
    #[error("{} not found", .0.word())]
    NotFound(TreeLevel),
    /// Too many searches of the whole catalogue run already.
    #[error("too many searches at once, try again soon")]
    Busy,
    /// The database could not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}
