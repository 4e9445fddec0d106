//! What the dashboard shows first: how much there is of everything, and what needs somebody's eye.

use futures_util::try_join;

use crate::{accounts::store::UserRecord, app::App, catalogue::store::products::StockLevel, db::StoreError};

/// Products that are listed when more are running out.
const LOW_STOCK_LIMIT: i64 = 20;
/// Accounts that are listed.
const NEWEST_LIMIT: i64 = 10;

/// Numbers of a moment; each is exact, though not all are of the same instant.
#[derive(Debug)]
pub struct Stats {
    /// Accounts.
    pub users: u64,
    /// Brands.
    pub brands: u64,
    /// Models.
    pub models: u64,
    /// Categories.
    pub categories: u64,
    /// Products, hidden ones too.
    pub products: u64,
    /// Carts that hold something.
    pub carts: u64,
    /// Those with the least stock of the products at or under the threshold.
    pub low_stock: Vec<StockLevel>,
    /// How many products are at or under it.
    pub low_stock_total: u64,
    /// The newest first.
    pub newest_users: Vec<UserRecord>,
}

/// Counts everything, and looks for products with at most `threshold` pieces.
pub async fn read(app: &App, threshold: u32) -> Result<Stats, StoreError> {
    let store = &app.store;
    let (users, brands, models, categories, products, carts, (low_stock, low_stock_total), newest_users) = try_join!(
        store.users.count(None),
        store.brands.count(),
        store.models.count(),
        store.categories.count(),
        store.products.count(),
        store.carts.count(),
        store.products.low_stock(threshold, LOW_STOCK_LIMIT),
        store.users.records(None, None, NEWEST_LIMIT),
    )?;
    Ok(Stats { users, brands, models, categories, products, carts, low_stock, low_stock_total, newest_users })
}
