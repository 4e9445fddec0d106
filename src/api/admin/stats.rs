//! `/api/admin/stats/`: the summary on the first page of the dashboard.

use std::sync::Arc;

use poem_openapi::{Object, OpenApi, param::Query, payload::Json, types::Example};

use super::users_out::UserRowOut;
use crate::{
    api::{
        Group,
        access::Staff,
        error::{ApiError, ApiResult},
    },
    app::App,
    catalogue::{StockLevel, rules::entry::MAX_STOCK, stock::LevelCounts},
    db::StoreError,
    figures::{self, Stats},
    values::{ids::ProductId, invalid::InvalidField},
};

/// The number of pieces at which a product counts as low in stock, if the call names none.
const DEFAULT_THRESHOLD: u32 = 5;

/// Handler of `/api/admin/stats/`.
pub struct StatsApi(pub Arc<App>);

#[OpenApi(prefix_path = "/api/admin", tag = "Group::Admin")]
impl StatsApi {
    /// Returns a summary of the shop
    ///
    /// Counts users, catalogue entries and carts. Lists up to 20 products that are low in stock, and the 10 newest
    /// accounts. Staff see phone numbers and e-mail addresses of other accounts masked; admins see them whole.
    #[oai(path = "/stats", method = "get", operation_id = "readStats")]
    async fn read(
        &self,
        staff: Staff,
        /// A product with this number of pieces or fewer is low in stock: 0 to 1,000,000; 5 if left out.
        low_stock: Query<Option<String>>,
    ) -> ApiResult<Json<StatsOut>, StoreError> {
        let threshold = threshold(low_stock.0).map_err(ApiError::from)?;
        let stats = figures::read(&self.0, threshold).await?;
        Ok(Json(StatsOut::shown_to(&staff, stats, threshold)))
    }
}

fn threshold(text: Option<String>) -> Result<u32, InvalidField> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(DEFAULT_THRESHOLD) };
    text.parse().ok().filter(|pieces| *pieces <= MAX_STOCK).ok_or_else(|| InvalidField {
        field: "low_stock".into(),
        text: format!("low_stock must be an integer between 0 and {MAX_STOCK}"),
    })
}

/// A summary of the shop.
#[derive(Debug, Object)]
#[oai(rename = "Stats", example)]
struct StatsOut {
    counts: CountsOut,
    low_stock: LowStockOut,
    /// Newest accounts, the newest first; at most 10.
    newest_users: Vec<UserRowOut>,
}

/// Numbers of accounts, catalogue entries and carts.
#[derive(Debug, Object)]
#[oai(rename = "Counts")]
struct CountsOut {
    users: u64,
    brands: u64,
    models: u64,
    categories: u64,
    /// Number of products, including hidden ones.
    products: u64,
    /// Number of carts that are not empty.
    carts: u64,
}

/// The products that are low in stock.
#[derive(Debug, Object)]
#[oai(rename = "LowStock")]
struct LowStockOut {
    /// The number of pieces at or below which a product is low in stock.
    threshold: u32,
    /// Number of such products.
    total: u64,
    /// The products with the lowest stock, including hidden ones; at most 20.
    products: Vec<StockLevelOut>,
}

/// A product that is low in stock.
#[derive(Debug, Object)]
#[oai(rename = "StockLevel")]
struct StockLevelOut {
    #[oai(rename = "_id")]
    id: ProductId,
    /// Full code of the product.
    code: String,
    product_name: String,
    stock: i64,
    /// Whether customers see the product.
    is_active: bool,
}

impl StatsOut {
    fn shown_to(reader: &Staff, stats: Stats, threshold: u32) -> Self {
        let LevelCounts { brands, models, categories, products } = stats.levels;
        let low_stock = stats.low_stock.into_iter().map(StockLevelOut::from).collect();
        Self {
            counts: CountsOut { users: stats.users, brands, models, categories, products, carts: stats.carts },
            low_stock: LowStockOut { threshold, total: stats.low_stock_total, products: low_stock },
            newest_users: stats.newest_users.iter().map(|record| UserRowOut::shown_to(reader, record)).collect(),
        }
    }
}

impl From<StockLevel> for StockLevelOut {
    fn from(level: StockLevel) -> Self {
        Self {
            id: level.id,
            code: level.code.to_string(),
            product_name: level.name.to_string(),
            stock: level.stock,
            is_active: level.is_active,
        }
    }
}

impl Example for StatsOut {
    fn example() -> Self {
        let product = StockLevelOut {
            id: ProductId::from([0x64; 12]),
            code: "TATA-NEXON-BRK-PADF".to_owned(),
            product_name: "Front brake pad".to_owned(),
            stock: 2,
            is_active: true,
        };
        Self {
            counts: CountsOut { users: 812, brands: 8, models: 24, categories: 96, products: 480, carts: 37 },
            low_stock: LowStockOut { threshold: DEFAULT_THRESHOLD, total: 1, products: vec![product] },
            newest_users: vec![UserRowOut::example()],
        }
    }
}
