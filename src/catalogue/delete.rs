//! Taking things out of the tree, with everything below them.

use std::time::Duration;

use super::{
    Touched, TreeLevel, missing_level,
    store::{branches::Level, tree::Below},
};
use crate::{
    app::App,
    db::StoreError,
    values::{author::Author, codes::FullCode},
};

/// A job that nobody has worked at for so long was cut off. A batch takes a fraction of it.
const ABANDONED: Duration = Duration::from_secs(10);

/// Why nothing is deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteError {
    /// The first level on which nothing has the code.
    #[error("{} not found", .0.word())]
    NotFound(TreeLevel),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Deletes a brand, model or category and everything below it, and tells how much that was.
pub async fn delete_branch<L: Level>(app: &App, author: &Author, code: &FullCode) -> Result<Below, DeleteError> {
    let Some(gone) = app.store.tree.delete_branch::<L>(code, &app.trail(Some(author))).await? else {
        return Err(DeleteError::NotFound(missing_level(app, code, L::LEVEL).await?));
    };
    TreeLevel::ALL[L::LEVEL as usize..].iter().for_each(|level| app.catalogue.changed(&Touched::Level(*level)));
    purge(app, code).await?;
    Ok(gone)
}

/// Deletes a product.
pub async fn delete_product(app: &App, author: &Author, code: &FullCode) -> Result<(), DeleteError> {
    if app.store.tree.delete_product(code, &app.trail(Some(author))).await? {
        app.catalogue.changed(&Touched::Level(TreeLevel::Product));
        return Ok(());
    }
    Err(DeleteError::NotFound(missing_level(app, code, TreeLevel::Product).await?))
}

/// Goes on with a deletion that was cut off; false when there is none.
pub async fn resume_purge(app: &App) -> Result<bool, StoreError> {
    let before = app.clock.now().before(ABANDONED);
    let Some(code) = app.store.tree.abandoned_purge(before).await? else { return Ok(false) };
    tracing::info!(code = code.as_str(), "a deletion that was cut off goes on");
    purge(app, &code).await?;
    Ok(true)
}

async fn purge(app: &App, branch: &FullCode) -> Result<(), StoreError> {
    while app.store.tree.purge_batch(branch, app.clock.now()).await? {
        app.catalogue.changed(&Touched::Level(TreeLevel::Product));
    }
    Ok(())
}
