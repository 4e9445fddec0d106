//! The summary for the dashboard. It counts products, users and carts, and lists products that are low in stock.

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

/// The maximum number of listed products that are low in stock.
const LOW_STOCK_LIMIT: i64 = 20;
/// The maximum number of listed accounts.
const NEWEST_LIMIT: i64 = 10;

/// The summary for the dashboard. Each number is exact, but the numbers are not all read at the same moment.
#[derive(Debug)]
pub struct Stats {
    /// The number of accounts, active or not.
    pub users: u64,
    /// The numbers of entries in the catalogue.
    pub levels: LevelCounts,
    /// The number of carts that are not empty.
    pub carts: u64,
    /// Up to 20 products whose stock is at or below the threshold, with the lowest stock first.
    pub low_stock: Vec<StockLevel>,
    /// The number of all products whose stock is at or below the threshold.
    pub low_stock_total: u64,
    /// The 10 newest accounts, with the newest first.
    pub newest_users: Vec<UserRecord>,
}

/// Reads the summary. Products with at most `threshold` pieces count as low in stock.
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
