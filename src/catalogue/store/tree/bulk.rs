//! Changing many products, one batch after the other. Each batch is one transaction, which also moves the plan on.

use std::collections::{BTreeMap, BTreeSet};

use bson::{Bson, doc};
use futures_util::{FutureExt, TryStreamExt};
use mongodb::{ClientSession, error::Result};

use super::{
    Node, Tree,
    import::{Entries, WriteRecord},
    update::date_change,
};
use crate::{
    audits::store::Trail,
    catalogue::store::{
        bulk_plans::{BulkFailure, PlanPart, PlannedProduct},
        catalogue_changes::ChangedPart,
        products::ProductDoc,
    },
    db::{StoreError, transaction::transact},
    values::ids::{KeyedRequestId, ProductId},
};

/// What a change makes of a product: its new state, `None` to delete it, or why it stays as it is.
pub type BulkOutcome = std::result::Result<Option<ProductDoc>, String>;

/// What the products of a batch become.
struct Sorted {
    entries: Entries<ProductDoc>,
    deleted: Vec<ProductDoc>,
    failed: Vec<BulkFailure>,
}

impl Tree {
    /// Changes a part of a plan. Returns what was changed, for the cache; `None` if the part was changed before.
    ///
    /// `change` may be called several times for a product, see [`Tree::update`]. Each product that differs afterwards
    /// gets an entry in the audits.
    pub(in crate::catalogue) async fn change_batch(
        &self,
        plan: KeyedRequestId,
        part: PlanPart,
        change: impl Fn(&ProductDoc) -> BulkOutcome + Send + Sync,
        trail: &Trail,
    ) -> std::result::Result<Option<Vec<ChangedPart>>, StoreError> {
        let _guard = self.write_lock.lock().await;
        transact(&self.connection.client, (self, &change, trail), move |tx, &(tree, change, trail)| {
            async move {
                let Some(planned) = tree.bulk_plans.take_batch_in(tx, plan, part).await? else { return Ok(None) };
                let found = tree.products_in(&planned, tx).await?;
                let Sorted { entries, deleted, failed } = sort(&planned, found, change);
                let touched = planned.len() - failed.len();
                let parts = tree.write_products(entries, deleted, trail, tx).await?;
                let counts = [parts.len(), touched - parts.len()].map(|count| i64::try_from(count).unwrap_or(i64::MAX));
                tree.bulk_plans.add_result_in(tx, plan, counts, failed).await?;
                Ok(Some(parts))
            }
            .boxed()
        })
        .await
    }

    /// Leaves out the product number `from` of a plan, which is damaged. Does nothing if it was changed before.
    pub(in crate::catalogue) async fn skip_damaged(
        &self,
        plan: KeyedRequestId,
        from: i64,
    ) -> std::result::Result<(), StoreError> {
        transact(&self.connection.client, self, move |tx, tree| {
            async move {
                let part = PlanPart { from, size: 1 };
                let Some(planned) = tree.bulk_plans.take_batch_in(tx, plan, part).await? else { return Ok(()) };
                let failed = planned.into_iter().map(|product| BulkFailure::damaged(product.code)).collect();
                tree.bulk_plans.add_result_in(tx, plan, [0, 0], failed).await
            }
            .boxed()
        })
        .await
    }

    async fn products_in(
        &self,
        planned: &[PlannedProduct],
        tx: &mut ClientSession,
    ) -> Result<BTreeMap<ProductId, ProductDoc>> {
        let ids: Vec<Bson> = planned.iter().map(|product| product.id.into()).collect();
        let mut cursor = self.docs::<ProductDoc>().find(doc! { "_id": { "$in": ids } }).session(&mut *tx).await?;
        cursor.stream(tx).map_ok(|product| (product.id, product)).try_collect().await
    }

    /// Writes what differs and deletes what is to be deleted. Returns a part of the catalogue for each product that was
    /// changed or deleted.
    async fn write_products(
        &self,
        entries: Entries<ProductDoc>,
        deleted: Vec<ProductDoc>,
        trail: &Trail,
        tx: &mut ClientSession,
    ) -> Result<Vec<ChangedPart>> {
        let mut record = WriteRecord::default();
        self.write_level(entries, &BTreeSet::new(), trail, &mut record, tx).await?;
        if !deleted.is_empty() {
            let ids: Vec<Bson> = deleted.iter().map(Node::id).collect();
            self.docs::<ProductDoc>().delete_many(doc! { "_id": { "$in": ids } }).session(&mut *tx).await?;
            deleted.iter().for_each(|product| record.add_deletion(product, trail));
        }
        self.finish_record(record, trail, tx).await
    }
}

/// Returns whether a product differs from its state before. A deletion, which has no new state, is a difference.
pub(in crate::catalogue) fn is_changed(before: &ProductDoc, after: Option<&ProductDoc>) -> Result<bool> {
    let Some(after) = after else { return Ok(true) };
    date_change(before, after.clone(), before.updated_at).map(|(_, diff)| !diff.is_empty())
}

/// Decides about each planned product.
fn sort(
    planned: &[PlannedProduct],
    mut found: BTreeMap<ProductId, ProductDoc>,
    change: impl Fn(&ProductDoc) -> BulkOutcome,
) -> Sorted {
    let mut sorted = Sorted { entries: Entries::default(), deleted: Vec::new(), failed: Vec::new() };
    for PlannedProduct { id, code } in planned {
        let Some(before) = found.remove(id) else {
            sorted.failed.push(BulkFailure::not_found(code.clone()));
            continue;
        };
        match change(&before) {
            Ok(Some(after)) => sorted.entries.change(before, after),
            Ok(None) => sorted.deleted.push(before),
            Err(error) => sorted.failed.push(BulkFailure { code: before.code, error }),
        }
    }
    sorted
}
