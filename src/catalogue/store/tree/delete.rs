//! Deleting: a branch goes with everything between it and the products in one transaction; the products, of which there
//! can be any number, follow in batches, by whoever deletes, or by a worker after a crash.

use bson::{Bson, Document, doc};
use futures_util::{FutureExt, TryStreamExt};
use mongodb::{ClientSession, Collection, error::Result};
use serde::Deserialize;

use super::{Node, PurgeDoc, Tree};
use crate::{
    audits::store::Trail,
    catalogue::store::{
        branches::{BranchDoc, Category, Level, Model},
        products::ProductDoc,
    },
    db::{StoreError, query::code_below, transaction::transact},
    images::key::ImageKey,
    values::{codes::FullCode, time::Timestamp},
};

/// Products that are removed in one transaction: 20,000 at once don't fit into a small cache.
const BATCH: i64 = 1_000;

/// How much goes together with a branch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Below {
    /// Models.
    pub models: u64,
    /// Categories.
    pub categories: u64,
    /// Products.
    pub products: u64,
}

/// What a removal needs of a document.
#[derive(Deserialize)]
struct Part {
    #[serde(rename = "_id")]
    id: Bson,
    image_key: Option<ImageKey>,
}

impl Tree {
    /// Deletes a product; false when there is none with the code.
    pub async fn delete_product(&self, code: &FullCode, trail: &Trail) -> std::result::Result<bool, StoreError> {
        let _turn = self.turns.lock().await;
        let (tree, code, trail) = (self.clone(), code.clone(), trail.clone());
        transact(&self.client, move |tx| {
            let (tree, code, trail) = (tree.clone(), code.clone(), trail.clone());
            async move { tree.delete_node::<ProductDoc>(&code, &trail, Below::default(), tx).await }.boxed()
        })
        .await
    }

    /// Deletes a branch and everything between it and the products, and makes the job to remove those. `None` when
    /// there is none with the code.
    pub async fn delete_branch<L: Level>(
        &self,
        code: &FullCode,
        trail: &Trail,
    ) -> std::result::Result<Option<Below>, StoreError> {
        let _turn = self.turns.lock().await;
        let (tree, code, trail) = (self.clone(), code.clone(), trail.clone());
        transact(&self.client, move |tx| {
            let (tree, code, trail) = (tree.clone(), code.clone(), trail.clone());
            async move {
                let gone = Below {
                    models: tree.delete_below::<Model>(&code, &trail, tx).await?,
                    categories: tree.delete_below::<Category>(&code, &trail, tx).await?,
                    products: tree.docs::<ProductDoc>().count_documents(code_below(&code)).session(&mut *tx).await?,
                };
                if !tree.delete_node::<BranchDoc<L>>(&code, &trail, gone, tx).await? {
                    return Ok(None);
                }
                let job = PurgeDoc { code, touched_at: trail.now };
                tree.purges.insert_one(job).session(&mut *tx).await?;
                Ok(Some(gone))
            }
            .boxed()
        })
        .await
    }

    async fn delete_node<N: Node>(
        &self,
        code: &FullCode,
        trail: &Trail,
        gone: Below,
        tx: &mut ClientSession,
    ) -> Result<bool> {
        let deleted = self.docs::<N>().find_one_and_delete(doc! { "code": code }).session(&mut *tx).await?;
        let Some(node) = deleted else { return Ok(false) };
        let images: Vec<ImageKey> = node.image_key().cloned().into_iter().collect();
        self.trash.discard_in(tx, &images, trail.now).await?;
        let entry = trail.entry(N::COLLECTION, "delete", node.id()).coded(node.code()).holding(node.audited());
        let below = [("models", gone.models), ("categories", gone.categories), ("products", gone.products)];
        let below = below.map(|(name, count)| (name.to_owned(), Bson::from(i64::try_from(count).unwrap_or(i64::MAX))));
        let deleted = doc! { "deleted": below.into_iter().collect::<Document>() };
        self.audits.append_in(tx, entry.describing(deleted)).await?;
        Ok(true)
    }

    /// Deletes what one level holds below a branch.
    async fn delete_below<L: Level>(&self, branch: &FullCode, trail: &Trail, tx: &mut ClientSession) -> Result<u64> {
        let docs = self.docs::<BranchDoc<L>>();
        let parts = parts(&docs, branch, None, tx).await?;
        let deleted = docs.delete_many(code_below(branch)).session(&mut *tx).await?.deleted_count;
        self.trash.discard_in(tx, &images(&parts), trail.now).await?;
        Ok(deleted)
    }

    /// Removes one batch of the products below a deleted branch; false when there is nothing left to do. The job is
    /// part of the transaction: whoever comes late with an old one can't touch what was inserted since.
    pub async fn purge_batch(&self, branch: &FullCode, now: Timestamp) -> std::result::Result<bool, StoreError> {
        let (tree, branch) = (self.clone(), branch.clone());
        transact(&self.client, move |tx| {
            let (tree, branch) = (tree.clone(), branch.clone());
            async move {
                let job = doc! { "_id": &branch };
                let touch = doc! { "$set": { "touched_at": now } };
                if tree.purges.update_one(job.clone(), touch).session(&mut *tx).await?.matched_count == 0 {
                    return Ok(false);
                }
                let products = tree.docs::<ProductDoc>();
                let parts = parts(&products, &branch, Some(BATCH), tx).await?;
                if parts.is_empty() {
                    tree.purges.delete_one(job).session(&mut *tx).await?;
                    return Ok(false);
                }
                let ids: Vec<Bson> = parts.iter().map(|part| part.id.clone()).collect();
                products.delete_many(doc! { "_id": { "$in": ids } }).session(&mut *tx).await?;
                tree.trash.discard_in(tx, &images(&parts), now).await?;
                Ok(true)
            }
            .boxed()
        })
        .await
    }

    /// A job that nobody has worked at since `before`.
    pub async fn abandoned_purge(&self, before: Timestamp) -> std::result::Result<Option<FullCode>, StoreError> {
        let found = self.purges.find_one(doc! { "touched_at": { "$lte": before } }).await?;
        Ok(found.map(|job| job.code))
    }
}

async fn parts<N: Node>(
    docs: &Collection<N>,
    branch: &FullCode,
    limit: Option<i64>,
    tx: &mut ClientSession,
) -> Result<Vec<Part>> {
    let docs = docs.clone_with_type::<Part>();
    let found = docs.find(code_below(branch)).projection(doc! { "image_key": 1 });
    let mut found = found.limit(limit.unwrap_or_default()).session(&mut *tx).await?;
    found.stream(tx).try_collect().await
}

fn images(parts: &[Part]) -> Vec<ImageKey> {
    parts.iter().filter_map(|part| part.image_key.clone()).collect()
}
