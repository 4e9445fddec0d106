//! What the dashboard shows first: how much there is of everything, and what needs somebody's eye.

use futures_util::try_join;

use crate::{
    accounts::{UserRecord, administration},
    app::App,
    carts,
    catalogue::{
        StockLevel,
        stock::{self, LevelCounts},
    },
    db::StoreError,
};

/// Products that are listed when more are running out.
const LOW_STOCK_LIMIT: i64 = 20;
/// Accounts that are listed.
const NEWEST_LIMIT: i64 = 10;

/// Numbers of a moment; each is exact, though not all are of the same instant.
#[derive(Debug)]
pub struct Stats {
    /// Accounts.
    pub users: u64,
    /// Entries of the catalogue.
    pub levels: LevelCounts,
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
    let (levels, (low_stock, low_stock_total), carts, users, newest_users) = try_join!(
        stock::counts(app),
        stock::low(app, threshold, LOW_STOCK_LIMIT),
        carts::count(app),
        administration::count(app),
        administration::newest(app, NEWEST_LIMIT),
    )?;
    Ok(Stats { users, levels, carts, low_stock, low_stock_total, newest_users })
}
