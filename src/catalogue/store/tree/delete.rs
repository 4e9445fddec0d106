//! Deleting from the tree.
//!
//! A branch is deleted in one transaction with the models and categories below it. There can be any number of products,
//! so these are removed afterwards in batches, by the call that deletes or, after a crash, by the worker `purge`.

use bson::{Bson, Document, doc};
use futures_util::{FutureExt, TryStreamExt};
use mongodb::{ClientSession, Collection, error::Result};
use serde::Deserialize;

use super::{Node, PurgeDoc, Tree, audit_entries};
use crate::{
    audits::store::Trail,
    catalogue::{
        rules::pictures::ProductPicture,
        store::{
            branches::{BranchDoc, Category, Level, Model},
            products::ProductDoc,
        },
    },
    db::{
        StoreError,
        query::code_below,
        transaction::{transact, transact_on_snapshot},
    },
    images::{key::ImageKey, store::ShownImage},
    values::{codes::FullCode, time::Timestamp},
};

/// How many products are removed in one transaction. 20,000 at once do not fit into a small cache of the database.
const BATCH: i64 = 1_000;

/// How many entries were below a deleted branch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BelowCounts {
    pub models: u64,
    pub categories: u64,
    pub products: u64,
}

impl BelowCounts {
    /// Returns the counts for the audits.
    pub(super) fn document(self) -> Document {
        let count = |entries: u64| i64::try_from(entries).unwrap_or(i64::MAX);
        doc! {
            "models": count(self.models),
            "categories": count(self.categories),
            "products": count(self.products),
        }
    }
}

/// The fields of a document that its deletion needs.
#[derive(Deserialize)]
struct DeletedDoc {
    #[serde(rename = "_id")]
    id: Bson,
    image_url: String,
    image_key: Option<ImageKey>,
    #[serde(default)]
    further_images: Vec<ProductPicture>,
}

impl Tree {
    /// Deletes a product. Returns `false` if nothing has the code.
    pub(in crate::catalogue) async fn delete_product(
        &self,
        code: &FullCode,
        trail: &Trail,
    ) -> std::result::Result<bool, StoreError> {
        let _guard = self.write_lock.lock().await;
        transact(&self.connection.client, (self, code, trail), move |tx, &(tree, code, trail)| {
            async move { tree.delete_node::<ProductDoc>(code, trail, BelowCounts::default(), tx).await }.boxed()
        })
        .await
    }

    /// Deletes a branch with the models and categories below it, and makes the job to remove its products.
    ///
    /// Returns how many entries were below the branch, products included. `None` if nothing has the code.
    pub(in crate::catalogue) async fn delete_branch<L: Level>(
        &self,
        code: &FullCode,
        trail: &Trail,
    ) -> std::result::Result<Option<BelowCounts>, StoreError> {
        let _guard = self.write_lock.lock().await;
        transact(&self.connection.client, (self, code, trail), move |tx, &(tree, code, trail)| {
            async move {
                let counts = BelowCounts {
                    models: tree.delete_below::<Model>(code, trail, tx).await?,
                    categories: tree.delete_below::<Category>(code, trail, tx).await?,
                    products: tree.count_level_below::<ProductDoc>(code, tx).await?,
                };
                if !tree.delete_node::<BranchDoc<L>>(code, trail, counts, tx).await? {
                    return Ok(None);
                }
                let job = PurgeDoc { code: code.clone(), touched_at: trail.now };
                tree.purges.insert_one(job).session(&mut *tx).await?;
                Ok(Some(counts))
            }
            .boxed()
        })
        .await
    }

    /// Counts what is below a branch at one moment. `None` if nothing has the code.
    pub(in crate::catalogue) async fn count_below<L: Level>(
        &self,
        code: &FullCode,
    ) -> std::result::Result<Option<BelowCounts>, StoreError> {
        let mut session = self.connection.client.start_session().await?;
        transact_on_snapshot(&mut session, (self, code), move |tx, &(tree, code)| {
            async move {
                if tree.docs::<BranchDoc<L>>().find_one(doc! { "code": code }).session(&mut *tx).await?.is_none() {
                    return Ok(None);
                }
                Ok(Some(BelowCounts {
                    models: tree.count_level_below::<BranchDoc<Model>>(code, tx).await?,
                    categories: tree.count_level_below::<BranchDoc<Category>>(code, tx).await?,
                    products: tree.count_level_below::<ProductDoc>(code, tx).await?,
                }))
            }
            .boxed()
        })
        .await
    }

    async fn count_level_below<N: Node>(&self, branch: &FullCode, tx: &mut ClientSession) -> Result<u64> {
        self.docs::<N>().count_documents(code_below(branch)).session(tx).await
    }

    /// Deletes one document, puts its image into the trash and writes an entry to the audits.
    async fn delete_node<N: Node>(
        &self,
        code: &FullCode,
        trail: &Trail,
        counts: BelowCounts,
        tx: &mut ClientSession,
    ) -> Result<bool> {
        let deleted = self.docs::<N>().find_one_and_delete(doc! { "code": code }).session(&mut *tx).await?;
        let Some(node) = deleted else { return Ok(false) };
        self.trash.discard_in(tx, &node.shown_images(), trail.now).await?;
        self.audits.append_in(tx, audit_entries::deleted(&node, counts, trail)).await?;
        Ok(true)
    }

    /// Deletes the documents of one level below a branch and puts their images into the trash. Returns how many they
    /// were.
    async fn delete_below<L: Level>(&self, branch: &FullCode, trail: &Trail, tx: &mut ClientSession) -> Result<u64> {
        let docs = self.docs::<BranchDoc<L>>();
        let deleted_docs = find_below(&docs, branch, None, tx).await?;
        let deleted_count = docs.delete_many(code_below(branch)).session(&mut *tx).await?.deleted_count;
        self.trash.discard_in(tx, &shown_images(deleted_docs), trail.now).await?;
        Ok(deleted_count)
    }

    /// Removes one batch of the products below a deleted branch. Returns `false` when the job is done or does not
    /// exist.
    ///
    /// The transaction reads and changes the job. Without that, a process that still believes in a finished job could
    /// remove products of a new branch with the same code.
    pub(in crate::catalogue) async fn purge_batch(
        &self,
        branch: &FullCode,
        now: Timestamp,
    ) -> std::result::Result<bool, StoreError> {
        transact(&self.connection.client, (self, branch), move |tx, &(tree, branch)| {
            async move {
                let job = doc! { "_id": branch };
                let touch = doc! { "$set": { "touched_at": now } };
                if tree.purges.update_one(job.clone(), touch).session(&mut *tx).await?.matched_count == 0 {
                    return Ok(false);
                }
                let products = tree.docs::<ProductDoc>();
                let batch = find_below(&products, branch, Some(BATCH), tx).await?;
                if batch.is_empty() {
                    tree.purges.delete_one(job).session(&mut *tx).await?;
                    return Ok(false);
                }
                let ids: Vec<Bson> = batch.iter().map(|product| product.id.clone()).collect();
                products.delete_many(doc! { "_id": { "$in": ids } }).session(&mut *tx).await?;
                tree.trash.discard_in(tx, &shown_images(batch), now).await?;
                Ok(true)
            }
            .boxed()
        })
        .await
    }

    /// Returns the full code of a job that has made no progress since `before`; `None` if there is none.
    pub(in crate::catalogue) async fn abandoned_purge(
        &self,
        before: Timestamp,
    ) -> std::result::Result<Option<FullCode>, StoreError> {
        let found = self.purges.find_one(doc! { "touched_at": { "$lte": before } }).await?;
        Ok(found.map(|job| job.code))
    }
}

/// Reads the ids and images of what is below a branch, up to `limit` documents.
async fn find_below<N: Node>(
    docs: &Collection<N>,
    branch: &FullCode,
    limit: Option<i64>,
    tx: &mut ClientSession,
) -> Result<Vec<DeletedDoc>> {
    let docs = docs.clone_with_type::<DeletedDoc>();
    let query = docs.find(code_below(branch)).projection(doc! { "image_url": 1, "image_key": 1, "further_images": 1 });
    let mut cursor = query.limit(limit.unwrap_or_default()).session(&mut *tx).await?;
    cursor.stream(tx).try_collect().await
}

/// Returns the images that the documents showed.
fn shown_images(docs: Vec<DeletedDoc>) -> Vec<ShownImage> {
    let shown_in = |doc: DeletedDoc| {
        let further: Vec<_> = doc.further_images.iter().map(ShownImage::from).collect();
        [ShownImage { key: doc.image_key, url: doc.image_url }].into_iter().chain(further)
    };
    docs.into_iter().flat_map(shown_in).collect()
}
