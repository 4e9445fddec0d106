//! Why nothing is read from the catalogue.

use crate::{db::StoreError, values::tree_level::TreeLevel};

/// Why nothing is read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CatalogueError {
    /// The first level on which nothing has the code.
    #[error("{} not found", .0.word())]
    NotFound(TreeLevel),
    /// Too many are searching already.
    #[error("too many searches at once, try again soon")]
    Busy,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}
