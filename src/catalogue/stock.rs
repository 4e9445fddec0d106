//! What other modules ask about products: their stock and price as carts need them, and how many there are.

use std::{collections::HashMap, sync::Arc};

use futures_util::try_join;

use super::{CartProduct, StockLevel, StockNow};
use crate::{app::App, db::StoreError, values::ids::ProductId};

/// The number of entries on each level of the tree. Each number is exact, but they are not all of the same moment.
#[derive(Debug)]
pub struct LevelCounts {
    pub brands: u64,
    pub models: u64,
    pub categories: u64,
    /// All products, hidden ones too.
    pub products: u64,
}

/// Returns those of the products that exist, hidden ones too. Asks the database only for products that are not in
/// memory.
pub async fn for_carts(app: &App, ids: &[ProductId]) -> Result<HashMap<ProductId, Arc<CartProduct>>, StoreError> {
    app.catalogue.products(ids, |missing| async move { app.store.products.by_ids(&missing).await }).await
}

/// Returns a product as it is stored now; `None` if it is gone or hidden.
pub async fn visible(app: &App, product: ProductId) -> Result<Option<CartProduct>, StoreError> {
    app.store.products.visible(product).await
}

/// Returns the stock of a product as it is stored now, hidden or not; `None` if the product is gone.
pub async fn now(app: &App, product: ProductId) -> Result<Option<StockNow>, StoreError> {
    app.store.products.stock(product).await
}

/// Counts the entries of each level. Fails if one of the counts takes longer than two seconds.
pub async fn counts(app: &App) -> Result<LevelCounts, StoreError> {
    let store = &app.store;
    let (brands, models, categories, products) =
        try_join!(store.brands.count(), store.models.count(), store.categories.count(), store.products.count())?;
    Ok(LevelCounts { brands, models, categories, products })
}

/// Returns the `limit` products with the least stock, and how many there are in all.
///
/// Only products with at most `threshold` pieces count, hidden ones too.
pub async fn low(app: &App, threshold: u32, limit: i64) -> Result<(Vec<StockLevel>, u64), StoreError> {
    app.store.products.low_stock(threshold, limit).await
}
