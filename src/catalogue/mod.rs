//! The catalogue: the tree of brands, models, categories and products.
//!
//! This file reads the tree. The other files insert, change, delete, search, import and export entries, and keep copies
//! of them in memory.

pub mod bulk;
pub mod cache;
mod delete;
mod entries;
pub mod error;
mod follow;
mod insert;
mod pictures;
pub mod rules;
mod search;
pub mod seeding;
pub mod staff_lists;
pub mod stock;
pub(crate) mod store;
pub mod transfer;
pub mod turns;
mod update;

use self::rules::search::SearchText;
pub use self::{
    cache::view::{Rendered, View},
    delete::{DeleteError, count_below, delete_branch, delete_product, require_product, resume_purge},
    entries::{EntryImage, ImageSource, NewBranch, NewProduct},
    error::CatalogueError,
    follow::follow,
    insert::{InsertError, insert_brand, insert_category, insert_model, insert_product},
    pictures::{PictureError, add_picture, arrange_pictures, remove_picture},
    search::search,
    store::{
        branches::{BranchDoc, Brand, Category, Model},
        catalogue_changes::ChangedPart,
        products::{CartProduct, ProductDoc, StockLevel, StockNow, Visibility},
        tree::{BelowCounts, Node},
    },
    update::{
        BranchChange, OfferChange, Precondition, ProductChange, StockChange, UpdateError, update_branch, update_product,
    },
};
pub use crate::values::tree_level::TreeLevel;
use crate::{
    app::App,
    db::StoreError,
    values::paging::{Page, Slice},
    values::{
        codes::FullCode,
        ids::{BrandId, CategoryId, ModelId, ProductId},
    },
};

/// Returns a page of brands in the order of their insertion.
///
/// With a `text`, only brands that contain it in their name or code, whatever the case and the accents.
pub async fn brands(
    app: &App,
    text: Option<&SearchText>,
    slice: Slice<BrandId>,
) -> Result<Page<BranchDoc<Brand>>, CatalogueError> {
    let found = app.store.brands.page(None, text, slice.after, slice.probe()).await?;
    Ok(Page::of(found, slice.limit))
}

/// Returns a page of the models of a brand in the order of their insertion.
///
/// With a `text`, only models that contain it in their name or own code, whatever the case and the accents. Fails with
/// [`CatalogueError::NotFound`] if the brand does not exist.
pub async fn models(
    app: &App,
    brand: &FullCode,
    text: Option<&SearchText>,
    slice: Slice<ModelId>,
) -> Result<Page<BranchDoc<Model>>, CatalogueError> {
    let found = app.store.models.page(Some(brand), text, slice.after, slice.probe()).await?;
    page_or_missing(app, brand, found, slice.limit).await
}

/// Returns a page of the categories of a model in the order of their insertion.
///
/// With a `text`, only categories that contain it in their name or own code, whatever the case and the accents. Fails
/// with [`CatalogueError::NotFound`] if the model or its brand does not exist.
pub async fn categories(
    app: &App,
    model: &FullCode,
    text: Option<&SearchText>,
    slice: Slice<CategoryId>,
) -> Result<Page<BranchDoc<Category>>, CatalogueError> {
    let found = app.store.categories.page(Some(model), text, slice.after, slice.probe()).await?;
    page_or_missing(app, model, found, slice.limit).await
}

/// Returns a page of the products of a category in the order of their insertion.
///
/// With a `text`, only products that contain it in their name, own code or description, whatever the case and the
/// accents. Fails with [`CatalogueError::NotFound`] if the category or one of its parents does not exist.
pub async fn products(
    app: &App,
    category: &FullCode,
    text: Option<&SearchText>,
    slice: Slice<ProductId>,
    visibility: Visibility,
) -> Result<Page<ProductDoc>, CatalogueError> {
    let found = app.store.products.page(category, text, slice.after, slice.probe(), visibility).await?;
    page_or_missing(app, category, found, slice.limit).await
}

/// Returns the brand with a code, or [`CatalogueError::NotFound`].
pub async fn brand(app: &App, code: &FullCode) -> Result<BranchDoc<Brand>, CatalogueError> {
    app.store.brands.by_code(code).await?.ok_or(CatalogueError::NotFound(TreeLevel::Brand))
}

/// Returns the model with a full code, or [`CatalogueError::NotFound`] with the first level that is missing.
pub async fn model(app: &App, code: &FullCode) -> Result<BranchDoc<Model>, CatalogueError> {
    found_or_missing(app, code, app.store.models.by_code(code).await?, TreeLevel::Model).await
}

/// Returns the category with a full code, or [`CatalogueError::NotFound`] with the first level that is missing.
pub async fn category(app: &App, code: &FullCode) -> Result<BranchDoc<Category>, CatalogueError> {
    found_or_missing(app, code, app.store.categories.by_code(code).await?, TreeLevel::Category).await
}

/// Returns the product with a full code, or [`CatalogueError::NotFound`] with the first level that is missing.
///
/// A hidden product counts as missing for customers.
pub async fn product(app: &App, code: &FullCode, visibility: Visibility) -> Result<ProductDoc, CatalogueError> {
    found_or_missing(app, code, app.store.products.by_code(code, visibility).await?, TreeLevel::Product).await
}

/// Makes a page of what was found below `parent`, or an error that names the first missing level of `parent`.
///
/// The parent is looked up only if nothing was found, because only then it may be missing.
async fn page_or_missing<T>(
    app: &App,
    parent: &FullCode,
    found: Vec<T>,
    limit: usize,
) -> Result<Page<T>, CatalogueError> {
    if found.is_empty()
        && let Some(level) = first_missing(app, parent).await?
    {
        return Err(CatalogueError::NotFound(level));
    }
    Ok(Page::of(found, limit))
}

/// Returns what was found, or an error that names the first missing level of `code`.
async fn found_or_missing<T>(
    app: &App,
    code: &FullCode,
    found: Option<T>,
    level: TreeLevel,
) -> Result<T, CatalogueError> {
    match found {
        Some(found) => Ok(found),
        None => Err(CatalogueError::NotFound(missing_level(app, code, level).await?)),
    }
}

/// Returns the first level that is missing, after nothing was found on `level` under the full code `code`.
///
/// Example: without the brand `TATA`, the answer for the model `TATA-NEXON` is `Brand`. With the brand it is `Model`.
async fn missing_level(app: &App, code: &FullCode, level: TreeLevel) -> Result<TreeLevel, StoreError> {
    let above = match code.parents().next_back() {
        Some(parent) => first_missing(app, &parent).await?,
        None => None,
    };
    Ok(above.unwrap_or(level))
}

/// Returns the level of the first missing entry among the parents of a branch and the branch itself, from the top down.
///
/// `None` if all of them exist.
async fn first_missing(app: &App, branch: &FullCode) -> Result<Option<TreeLevel>, StoreError> {
    let codes = branch.parents().chain([branch.clone()]);
    for (code, level) in codes.zip(TreeLevel::ALL) {
        let exists = match level {
            TreeLevel::Brand => app.store.brands.exists(&code).await?,
            TreeLevel::Model => app.store.models.exists(&code).await?,
            TreeLevel::Category | TreeLevel::Product => app.store.categories.exists(&code).await?,
        };
        if !exists {
            return Ok(Some(level));
        }
    }
    Ok(None)
}
