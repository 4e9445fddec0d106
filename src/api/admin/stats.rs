//! `/api/admin/stats/`: what the dashboard shows first.

use std::sync::Arc;

use poem_openapi::{Object, OpenApi, param::Query, payload::Json, types::Example};

use super::users_out::UserRowOut;
use crate::{
    api::{
        Group,
        access::Staff,
        error::{ApiError, ApiResult, ErrorCode, Refusal},
    },
    app::App,
    catalogue::{rules::entry::MAX_STOCK, store::products::StockLevel},
    db::StoreError,
    figures::{self, Stats},
    values::{ids::ProductId, invalid::InvalidField},
};

/// What counts as little.
const DEFAULT_THRESHOLD: u32 = 5;

/// The handlers.
pub struct StatsApi {
    app: Arc<App>,
}

#[OpenApi(prefix_path = "/api/admin", tag = "Group::Admin")]
impl StatsApi {
    /// How much there is of everything
    ///
    /// With the 20 products that have the least stock and the 10 newest accounts. Admins see these whole; staff see
    /// numbers and addresses of others masked.
    #[oai(path = "/stats", method = "get", operation_id = "readStats")]
    async fn read(
        &self,
        staff: Staff,
        /// Products with so many pieces or fewer are running out: 0 to 1,000,000; 5 when left out.
        low_stock: Query<Option<String>>,
    ) -> ApiResult<Json<StatsOut>, StatsError> {
        let threshold = threshold(low_stock.0).map_err(ApiError::from)?;
        let stats = figures::read(&self.app, threshold).await.map_err(StatsError::from)?;
        Ok(Json(StatsOut::shown_to(&staff, stats, threshold)))
    }
}

impl StatsApi {
    /// Handlers over `app`.
    pub fn new(app: &Arc<App>) -> Self {
        Self { app: Arc::clone(app) }
    }
}

fn threshold(text: Option<String>) -> Result<u32, InvalidField> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(DEFAULT_THRESHOLD) };
    text.parse().ok().filter(|pieces| *pieces <= MAX_STOCK).ok_or_else(|| InvalidField {
        field: "low_stock".into(),
        text: format!("low_stock must be an integer between 0 and {MAX_STOCK}"),
    })
}

/// Numbers of a moment.
#[derive(Debug, Object)]
#[oai(rename = "Stats", example)]
struct StatsOut {
    counts: CountsOut,
    low_stock: LowStockOut,
    /// The newest first.
    newest_users: Vec<UserRowOut>,
}

/// How many there are.
#[derive(Debug, Object)]
#[oai(rename = "Counts")]
struct CountsOut {
    users: u64,
    brands: u64,
    models: u64,
    categories: u64,
    /// Hidden ones too.
    products: u64,
    /// Those that hold something.
    carts: u64,
}

/// The products that are running out.
#[derive(Debug, Object)]
#[oai(rename = "LowStock")]
struct LowStockOut {
    /// They have so many pieces or fewer.
    threshold: u32,
    /// How many products these are.
    total: u64,
    /// Those with the least stock, hidden ones too; at most 20.
    products: Vec<StockLevelOut>,
}

/// A product that is running out.
#[derive(Debug, Object)]
#[oai(rename = "StockLevel")]
struct StockLevelOut {
    #[oai(rename = "_id")]
    id: ProductId,
    /// Full code.
    code: String,
    product_name: String,
    stock: i64,
    /// Whether customers see it.
    is_active: bool,
}

impl StatsOut {
    fn shown_to(reader: &Staff, stats: Stats, threshold: u32) -> Self {
        let Stats { users, brands, models, categories, products, carts, .. } = stats;
        let low_stock = stats.low_stock.into_iter().map(StockLevelOut::from).collect();
        Self {
            counts: CountsOut { users, brands, models, categories, products, carts },
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

/// Why there are no numbers.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct StatsError(#[from] StoreError);

impl Refusal for StatsError {
    const CODES: &'static [ErrorCode] = &[ErrorCode::InvalidInput];

    fn into_error(self) -> ApiError {
        self.0.into()
    }
}
