//! Inserting entries into the tree.

use super::{
    ImageSource, NewBranch, NewProduct, TreeLevel,
    entries::EntryImage,
    first_missing,
    store::{
        branches::{BranchDoc, Brand, Category, Model},
        products::ProductDoc,
        tree::{InsertOutcome, Node},
    },
};
use crate::{
    app::App,
    db::StoreError,
    images::ImageError,
    values::{
        author::Author,
        codes::FullCode,
        ids::{BrandId, CategoryId, ModelId, ProductId},
    },
};

/// Why nothing was inserted.
#[derive(Debug, thiserror::Error)]
pub enum InsertError {
    /// The parent or one of its parents does not exist. Holds the first level that is missing.
    #[error("{} not found", .0.word())]
    ParentNotFound(TreeLevel),
    /// Another entry has the code, or had it and its products are still being removed.
    #[error("{}_code already exists{}", .0.word(), place_of(*.0))]
    CodeTaken(TreeLevel),
    /// The image could not be read or stored.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The database could not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Returns the words that name the parent below which a code is taken.
fn place_of(level: TreeLevel) -> &'static str {
    match level {
        TreeLevel::Brand => "",
        TreeLevel::Model => " for this brand",
        TreeLevel::Category => " for this model",
        TreeLevel::Product => " for this category",
    }
}

/// Inserts a brand and writes an entry to the audits.
///
/// An image that was sent along is stored first. It is removed again if the brand is not inserted.
pub async fn insert_brand(
    app: &App,
    author: &Author,
    new: NewBranch<ImageSource>,
) -> Result<BranchDoc<Brand>, InsertError> {
    let entry = new.store_image(app).await?;
    let brand = entry.clone().top(BrandId::new(), app.clock.now());
    let outcome = app.store.tree.insert_brand(&brand, &app.trail(Some(author))).await;
    finish(app, entry.image, None, outcome).await
}

/// Inserts a model below a brand, see [`insert_brand`].
pub async fn insert_model(
    app: &App,
    author: &Author,
    brand: &FullCode,
    new: NewBranch<ImageSource>,
) -> Result<BranchDoc<Model>, InsertError> {
    let entry = new.store_image(app).await?;
    let (image, now, parent) = (entry.image.clone(), app.clock.now(), brand.clone());
    let child = move |parent_id| entry.clone().below(ModelId::new(), parent_id, &parent, now);
    let outcome = app.store.tree.insert(brand, child, &app.trail(Some(author))).await;
    finish(app, image, Some(brand), outcome).await
}

/// Inserts a category below a model, see [`insert_brand`].
pub async fn insert_category(
    app: &App,
    author: &Author,
    model: &FullCode,
    new: NewBranch<ImageSource>,
) -> Result<BranchDoc<Category>, InsertError> {
    let entry = new.store_image(app).await?;
    let (image, now, parent) = (entry.image.clone(), app.clock.now(), model.clone());
    let child = move |parent_id| entry.clone().below(CategoryId::new(), parent_id, &parent, now);
    let outcome = app.store.tree.insert(model, child, &app.trail(Some(author))).await;
    finish(app, image, Some(model), outcome).await
}

/// Inserts a product below a category, see [`insert_brand`].
pub async fn insert_product(
    app: &App,
    author: &Author,
    category: &FullCode,
    new: NewProduct<ImageSource>,
) -> Result<ProductDoc, InsertError> {
    let entry = new.store_image(app).await?;
    let (image, now, parent) = (entry.image.clone(), app.clock.now(), category.clone());
    let product = move |parent_id| entry.clone().below(ProductId::new(), parent_id, &parent, now);
    let outcome = app.store.tree.insert(category, product, &app.trail(Some(author))).await;
    finish(app, image, Some(category), outcome).await
}

/// Tells the cache of the new entry, or discards the image and explains why nothing was inserted.
async fn finish<N: Node>(
    app: &App,
    image: EntryImage,
    parent: Option<&FullCode>,
    outcome: Result<InsertOutcome<N>, StoreError>,
) -> Result<N, InsertError> {
    let refusal = match outcome {
        Ok(InsertOutcome::Done(node)) => {
            app.catalogue.mark_changed(&node.changed_part());
            return Ok(node);
        }
        Ok(InsertOutcome::NoParent) => match missing_parent_level(app, parent).await {
            Ok(level) => InsertError::ParentNotFound(level),
            Err(error) => error.into(),
        },
        Ok(InsertOutcome::CodeTaken) => InsertError::CodeTaken(N::LEVEL),
        Ok(InsertOutcome::ImageGone(gone)) => ImageError::from(gone).into(),
        Err(error) => error.into(),
    };
    image.discard(app).await;
    Err(refusal)
}

/// Returns the first missing level, down to the parent.
///
/// If the parent was inserted in the meantime, nothing is missing any more. Then the answer is `Brand`.
async fn missing_parent_level(app: &App, parent: Option<&FullCode>) -> Result<TreeLevel, StoreError> {
    let Some(parent) = parent else { return Ok(TreeLevel::Brand) };
    Ok(first_missing(app, parent).await?.unwrap_or(TreeLevel::Brand))
}
