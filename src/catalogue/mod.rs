//! The catalogue: reading the tree brand > model > category > product.

mod cache;
mod delete;
mod entries;
pub mod error;
mod follow;
mod insert;
pub mod rules;
mod search;
pub mod store;
pub mod transfer;
pub mod turns;
mod update;

pub use self::{
    cache::{
        CatalogueCache,
        view::{Rendered, View},
    },
    delete::{DeleteError, delete_branch, delete_product, resume_purge},
    entries::{EntryImage, ImageSource, NewBranch, NewProduct},
    error::CatalogueError,
    follow::follow,
    insert::{InsertError, insert_brand, insert_category, insert_model, insert_product},
    search::search,
    store::{catalogue_changes::Touched, products::Shown},
    update::{BranchChange, Precondition, ProductChange, StockChange, UpdateError, update_branch, update_product},
};
use self::{
    rules::search::SearchText,
    store::{
        branches::{BranchDoc, Brand, Category, Model},
        products::ProductDoc,
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

/// A page of brands; with a `text`, of those that hold it.
pub async fn brands(
    app: &App,
    text: Option<&SearchText>,
    slice: Slice<BrandId>,
) -> Result<Page<BranchDoc<Brand>>, CatalogueError> {
    let found = app.store.brands.page(None, text, slice.after, slice.probe()).await?;
    Ok(Page::of(found, slice.limit))
}

/// A page of the models of a brand; with a `text`, of those that hold it.
pub async fn models(
    app: &App,
    brand: &FullCode,
    text: Option<&SearchText>,
    slice: Slice<ModelId>,
) -> Result<Page<BranchDoc<Model>>, CatalogueError> {
    let found = app.store.models.page(Some(brand), text, slice.after, slice.probe()).await?;
    present_or_missing(app, brand, found, slice.limit).await
}

/// A page of the categories of a model; with a `text`, of those that hold it.
pub async fn categories(
    app: &App,
    model: &FullCode,
    text: Option<&SearchText>,
    slice: Slice<CategoryId>,
) -> Result<Page<BranchDoc<Category>>, CatalogueError> {
    let found = app.store.categories.page(Some(model), text, slice.after, slice.probe()).await?;
    present_or_missing(app, model, found, slice.limit).await
}

/// A page of the products of a category; with a `text`, of those that hold it.
pub async fn products(
    app: &App,
    category: &FullCode,
    text: Option<&SearchText>,
    slice: Slice<ProductId>,
    shown: Shown,
) -> Result<Page<ProductDoc>, CatalogueError> {
    let found = app.store.products.page(category, text, slice.after, slice.probe(), shown).await?;
    present_or_missing(app, category, found, slice.limit).await
}

/// The brand with a code.
pub async fn brand(app: &App, code: &FullCode) -> Result<BranchDoc<Brand>, CatalogueError> {
    app.store.brands.by_code(code).await?.ok_or(CatalogueError::NotFound(TreeLevel::Brand))
}

/// The model with a full code.
pub async fn model(app: &App, code: &FullCode) -> Result<BranchDoc<Model>, CatalogueError> {
    found_or_missing(app, code, app.store.models.by_code(code).await?, TreeLevel::Model).await
}

/// The category with a full code.
pub async fn category(app: &App, code: &FullCode) -> Result<BranchDoc<Category>, CatalogueError> {
    found_or_missing(app, code, app.store.categories.by_code(code).await?, TreeLevel::Category).await
}

/// The product with a full code.
pub async fn product(app: &App, code: &FullCode, shown: Shown) -> Result<ProductDoc, CatalogueError> {
    found_or_missing(app, code, app.store.products.by_code(code, shown).await?, TreeLevel::Product).await
}

/// An empty page may mean that the parent is missing: only then it is looked up.
async fn present_or_missing<T>(
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

/// The first level on which something is missing, when nothing on `level` has the full code `code`.
async fn missing_level(app: &App, code: &FullCode, level: TreeLevel) -> Result<TreeLevel, StoreError> {
    let above = match code.parents().next_back() {
        Some(parent) => first_missing(app, &parent).await?,
        None => None,
    };
    Ok(above.unwrap_or(level))
}

/// The first of a branch and its parents that isn't there.
async fn first_missing(app: &App, branch: &FullCode) -> Result<Option<TreeLevel>, StoreError> {
    let codes = branch.parents().chain([branch.clone()]);
    for (code, level) in codes.zip(TreeLevel::ALL) {
        let there = match level {
            TreeLevel::Brand => app.store.brands.exists(&code).await?,
            TreeLevel::Model => app.store.models.exists(&code).await?,
            TreeLevel::Category | TreeLevel::Product => app.store.categories.exists(&code).await?,
        };
        if !there {
            return Ok(Some(level));
        }
    }
    Ok(None)
}
