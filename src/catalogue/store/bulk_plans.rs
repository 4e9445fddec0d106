//! The collection `bulk_plans`: changes of many products. A plan names the products when the change begins, so that
//! neither the change itself nor another one decides about what it still has to do. Each batch moves `next` on in the
//! transaction that changes its products, so none is changed twice.

use bson::{Bson, doc};
use mongodb::{ClientSession, Collection, error::Result};
use serde::{Deserialize, Serialize};

use crate::{
    db::{
        StoreError,
        query::find_part,
        schema::{Connection, Layout, StorePart, swept},
    },
    values::{
        codes::FullCode,
        ids::{KeyedRequestId, ProductId},
        time::Timestamp,
        tree_level::TreeLevel,
    },
};

const NAME: &str = "bulk_plans";

/// How many products are changed in one transaction.
pub const BATCH: i64 = 500;

/// A product that is to be changed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PlannedProduct {
    #[serde(rename = "_id")]
    pub id: ProductId,
    /// Its full code, to tell of it when the product itself is gone.
    pub code: FullCode,
}

/// Products of a plan that follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanPart {
    /// The number of the first one.
    pub from: i64,
    /// How many they are. The last part of a plan may have fewer.
    pub size: i64,
}

/// A product that was not changed, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkFailure {
    pub code: FullCode,
    pub error: String,
}

impl BulkFailure {
    /// Returns the failure for a code that no product has.
    pub(in crate::catalogue) fn not_found(code: FullCode) -> Self {
        Self { code, error: format!("{} not found", TreeLevel::Product.word()) }
    }

    /// Returns the failure for a product that the database can't store after the change, or that can't be read.
    pub(in crate::catalogue) fn damaged(code: FullCode) -> Self {
        Self { code, error: format!("the stored {} is damaged and can't be changed", TreeLevel::Product.word()) }
    }
}

/// How far a change is.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct BulkProgress {
    /// Number of products in the plan.
    pub total: i64,
    /// Number of products that were looked at.
    pub next: i64,
    pub changed: i64,
    pub unchanged: i64,
    pub failed: Vec<BulkFailure>,
}

impl BulkProgress {
    /// Returns whether all products were looked at.
    pub fn is_complete(&self) -> bool {
        self.next >= self.total
    }
}

#[derive(Serialize, Deserialize)]
struct PlanDoc {
    #[serde(rename = "_id")]
    id: KeyedRequestId,
    products: Vec<PlannedProduct>,
    #[serde(flatten)]
    progress: BulkProgress,
    expires_at: Timestamp,
}

/// The next products of a plan.
#[derive(Deserialize)]
struct NextProducts {
    products: Vec<PlannedProduct>,
}

/// The collection `bulk_plans`.
#[derive(Clone)]
pub struct BulkPlans {
    docs: Collection<PlanDoc>,
}

impl StorePart for BulkPlans {
    fn open(connection: &Connection) -> Self {
        Self { docs: connection.collection(NAME) }
    }

    fn layout() -> Option<Layout> {
        Some(Layout { collection: NAME, indexes: vec![swept(std::time::Duration::ZERO)], validator: doc! {} })
    }
}

impl BulkPlans {
    /// Returns how far a change is; `None` if it was not begun.
    pub(in crate::catalogue) async fn progress(
        &self,
        id: KeyedRequestId,
    ) -> std::result::Result<Option<BulkProgress>, StoreError> {
        let fields = doc! { "total": 1, "next": 1, "changed": 1, "unchanged": 1, "failed": 1 };
        find_part(&self.docs, doc! { "_id": id }, fields).await
    }

    /// Stores the plan of a change, unless it has one already.
    pub(in crate::catalogue) async fn begin(
        &self,
        id: KeyedRequestId,
        products: Vec<PlannedProduct>,
        failed: Vec<BulkFailure>,
        expires_at: Timestamp,
    ) -> std::result::Result<(), StoreError> {
        let total = i64::try_from(products.len()).unwrap_or(i64::MAX);
        let progress = BulkProgress { total, failed, ..BulkProgress::default() };
        match self.docs.insert_one(PlanDoc { id, products, progress, expires_at }).await.map_err(StoreError::from) {
            Err(StoreError::Duplicate) => Ok(()),
            result => result.map(drop),
        }
    }

    /// Takes the next `size` products, in the transaction that changes them. The first one must be the product number
    /// `from`. Returns `None` if it was taken before.
    pub(super) async fn take_batch_in(
        &self,
        tx: &mut ClientSession,
        id: KeyedRequestId,
        PlanPart { from, size }: PlanPart,
    ) -> Result<Option<Vec<PlannedProduct>>> {
        let docs = self.docs.clone_with_type::<NextProducts>();
        let take = docs.find_one_and_update(doc! { "_id": id, "next": from }, doc! { "$inc": { "next": size } });
        let taken = take.projection(doc! { "products": { "$slice": [from, size] } }).session(tx).await?;
        Ok(taken.map(|next| next.products))
    }

    /// Adds what became of a batch.
    pub(super) async fn add_result_in(
        &self,
        tx: &mut ClientSession,
        id: KeyedRequestId,
        [changed, unchanged]: [i64; 2],
        failed: Vec<BulkFailure>,
    ) -> Result<()> {
        let failed: Vec<Bson> = failed.iter().map(bson::serialize_to_bson).collect::<bson::error::Result<_>>()?;
        let add = doc! {
            "$inc": { "changed": changed, "unchanged": unchanged },
            "$push": { "failed": { "$each": failed } },
        };
        self.docs.update_one(doc! { "_id": id }, add).session(tx).await.map(drop)
    }
}
