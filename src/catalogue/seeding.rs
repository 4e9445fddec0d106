//! Fills an empty catalogue with sample data. Nothing is written to the audits, and the cache of this process is not
//! told.

use super::{BranchDoc, Brand, Category, Model, ProductDoc};
use crate::{app::App, db::StoreError};

/// Returns whether the catalogue has no brand, and therefore nothing at all.
pub async fn is_empty(app: &App) -> Result<bool, StoreError> {
    Ok(app.store.brands.page(None, None, None, 1).await?.is_empty())
}

/// Inserts brands.
pub async fn insert_brands(app: &App, brands: &[BranchDoc<Brand>]) -> Result<(), StoreError> {
    app.store.brands.insert_many(brands).await
}

/// Inserts models. The caller makes sure that their brands exist.
pub async fn insert_models(app: &App, models: &[BranchDoc<Model>]) -> Result<(), StoreError> {
    app.store.models.insert_many(models).await
}

/// Inserts categories. The caller makes sure that their models exist.
pub async fn insert_categories(app: &App, categories: &[BranchDoc<Category>]) -> Result<(), StoreError> {
    app.store.categories.insert_many(categories).await
}

/// Inserts products. The caller makes sure that their categories exist.
pub async fn insert_products(app: &App, products: &[ProductDoc]) -> Result<(), StoreError> {
    app.store.products.insert_many(products).await
}
