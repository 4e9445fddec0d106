//! Deleting entries of the tree, together with everything below them.

use std::time::Duration;

use super::{
    ChangedPart, TreeLevel, Visibility, missing_level,
    store::{branches::Level, tree::BelowCounts},
};
use crate::{
    app::App,
    db::StoreError,
    values::{author::Author, codes::FullCode},
};

/// After this time without progress a deletion counts as cut off. One batch takes a fraction of it.
const ABANDONED_AFTER: Duration = Duration::from_secs(10);

/// Why nothing was deleted, or not everything yet.
#[derive(Debug, thiserror::Error)]
pub enum DeleteError {
    /// Nothing has the code. Holds the first level on which something is missing.
    #[error("{} not found", .0.word())]
    NotFound(TreeLevel),
    /// The database could not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Deletes a brand, model or category and everything below it. Returns how many entries were below it.
///
/// The branch, its models and its categories go first, in one transaction. The products follow in batches, and the call
/// returns when the last one is gone. If it fails in between, the branch is deleted all the same and the worker `purge`
/// removes the rest.
pub async fn delete_branch<L: Level>(app: &App, author: &Author, code: &FullCode) -> Result<BelowCounts, DeleteError> {
    let Some(below) = app.store.tree.delete_branch::<L>(code, &app.trail(Some(author))).await? else {
        return Err(DeleteError::NotFound(missing_level(app, code, L::LEVEL).await?));
    };
    for level in &TreeLevel::ALL[L::LEVEL as usize..] {
        app.catalogue.mark_changed(&ChangedPart::Level(*level));
    }
    purge(app, code).await?;
    Ok(below)
}

/// Returns how many entries are below a brand, model or category and would be deleted with it. Changes nothing.
pub async fn count_below<L: Level>(app: &App, code: &FullCode) -> Result<BelowCounts, DeleteError> {
    match app.store.tree.count_below::<L>(code).await? {
        Some(below) => Ok(below),
        None => Err(DeleteError::NotFound(missing_level(app, code, L::LEVEL).await?)),
    }
}

/// Deletes a product and writes an entry to the audits.
pub async fn delete_product(app: &App, author: &Author, code: &FullCode) -> Result<(), DeleteError> {
    if app.store.tree.delete_product(code, &app.trail(Some(author))).await? {
        app.catalogue.mark_changed(&ChangedPart::Level(TreeLevel::Product));
        return Ok(());
    }
    Err(DeleteError::NotFound(missing_level(app, code, TreeLevel::Product).await?))
}

/// Fails as [`delete_product`] does if the product does not exist. Changes nothing.
pub async fn require_product(app: &App, code: &FullCode) -> Result<(), DeleteError> {
    match app.store.products.by_code(code, Visibility::ToStaff).await? {
        Some(_) => Ok(()),
        None => Err(DeleteError::NotFound(missing_level(app, code, TreeLevel::Product).await?)),
    }
}

/// Finishes one deletion that was cut off, for example by a crash. Returns `false` if there is none.
pub async fn resume_purge(app: &App) -> Result<bool, StoreError> {
    let last_progress = app.clock.now().before(ABANDONED_AFTER);
    let Some(code) = app.store.tree.abandoned_purge(last_progress).await? else { return Ok(false) };
    tracing::info!(code = code.as_str(), "a deletion that was cut off goes on");
    purge(app, &code).await?;
    Ok(true)
}

/// Removes the products below a deleted branch, batch by batch, until none is left.
async fn purge(app: &App, branch: &FullCode) -> Result<(), StoreError> {
    while app.store.tree.purge_batch(branch, app.clock.now()).await? {
        app.catalogue.mark_changed(&ChangedPart::Level(TreeLevel::Product));
    }
    Ok(())
}
