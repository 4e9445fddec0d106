//! `/api/admin/products/bulk/`: one change of many products.

use std::sync::Arc;

use poem_openapi::{ApiResponse, Object, OpenApi, param::Header, payload::Json, types::Example};

use super::bulk_request::{BulkIn, CheckedBulk};
use crate::{
    api::{
        Group,
        access::Staff,
        body::Strict,
        error::{ApiResult, refusals},
    },
    app::App,
    catalogue::bulk::{self, BulkError, BulkReport},
    db::StoreError,
    idempotency::{IdempotencyKey, KeyError, KeyedRequest},
};

/// Handler of `/api/admin/products/bulk/`.
pub struct BulkApi(pub Arc<App>);

#[OpenApi(prefix_path = "/api/admin", tag = "Group::Admin")]
impl BulkApi {
    /// Changes many products
    ///
    /// Chooses up to 500 products by their codes, or up to 10,000 by a filter, and does one thing with each. Products
    /// are changed in batches of 500. If the call fails or no answer arrives, send the same request with the same key
    /// again: it goes on where it stopped, and nothing is changed twice. A dry run tells the same numbers and changes
    /// nothing; it needs a key too, but does not use it up.
    #[oai(path = "/products/bulk", method = "post", operation_id = "changeProducts")]
    async fn change_products(
        &self,
        staff: Staff,
        /// Required: 8 to 64 letters, digits, `-` or `_`. For 24 hours, the same key shows the same result again.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        body: Strict<BulkIn>,
    ) -> ApiResult<BulkAnswer, BulkError> {
        let (body, content) = body.into_parts();
        let (key, CheckedBulk { request, is_dry_run }) = body.check(|body, faults| {
            let key = faults.sort_out(Some(IdempotencyKey::required(key.0.as_deref())));
            let checked = body.check(faults);
            Some((key?, checked?))
        })?;
        if is_dry_run {
            return Ok(bulk::rehearse(&self.0, &request).await?.into());
        }
        let keyed = KeyedRequest { account: staff.author.user_id, key, call: "changeProducts", content };
        Ok(bulk::change_products(&self.0, &staff.author, &keyed, &request).await?.into())
    }
}

/// The answer to a change of many products.
#[derive(ApiResponse)]
enum BulkAnswer {
    /// Each product was looked at.
    #[oai(status = 200)]
    Done(
        Json<BulkOut>,
        /// `true` if the request was done before, and its result is only shown again.
        #[oai(header = "Idempotency-Replayed")]
        Option<String>,
    ),
}

/// What became of the products. `matched` is the sum of `changed`, `unchanged` and the failed products that exist.
#[derive(Debug, Object)]
#[oai(rename = "BulkResult", example)]
struct BulkOut {
    /// Number of products that were chosen.
    matched: u64,
    /// Number of those that are different now, or gone.
    changed: u64,
    /// Number of those that were like that before.
    unchanged: u64,
    /// Products that stay as they are, and codes that no product has. A dry run can't tell of damaged products that only
    /// the database refuses to store.
    failed: Vec<BulkFailureOut>,
}

/// A product that was not changed, and why.
#[derive(Debug, Object)]
#[oai(rename = "BulkFailure")]
struct BulkFailureOut {
    code: String,
    error: String,
}

impl From<BulkReport> for BulkAnswer {
    fn from(report: BulkReport) -> Self {
        let BulkReport { matched, changed, unchanged, failed, is_repeat } = report;
        let out = |failure: crate::catalogue::bulk::BulkFailure| BulkFailureOut {
            code: failure.code.to_string(),
            error: failure.error,
        };
        let failed = failed.into_iter().map(out).collect();
        Self::Done(Json(BulkOut { matched, changed, unchanged, failed }), is_repeat.then(|| "true".to_owned()))
    }
}

impl Example for BulkOut {
    fn example() -> Self {
        let failed = BulkFailureOut {
            code: "TATA-NEXON-BRK-PADF".to_owned(),
            error: "the price would exceed 10000000.00".to_owned(),
        };
        Self { matched: 480, changed: 475, unchanged: 4, failed: vec![failed] }
    }
}

refusals! {
    BulkError {
        codes { TooMany => InvalidInput ["filter"], PlanLost => Internal }
        causes { Key: KeyError, Store: StoreError }
    }
    KeyError {
        codes { Reused => IdempotencyKeyReused, Running => InProgress after 1 }
        causes { Store: StoreError }
    }
}
