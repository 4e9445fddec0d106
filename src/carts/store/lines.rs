//! The lines of one product in all carts, for redistributions (U3, U5).

use bson::{Bson, Document, doc};
use futures_util::TryStreamExt;
use mongodb::{
    ClientSession, Collection,
    options::{CollectionOptions, ReadConcern},
};
use serde::Deserialize;

use super::{Carts, plans::PlannedLine};
use crate::{
    accounts::store::USERS,
    catalogue::store::PRODUCTS,
    db::{StoreError, bulk, error},
    values::ids::{LineRev, ProductId, UserId},
};

/// How many updates are sent in one command. Larger batches are done sooner, but keep the database so busy that readers
/// must wait.
const BATCH: usize = 100;

/// A line of a cart that holds a product.
#[derive(Debug, Deserialize)]
pub struct HeldLine {
    /// The owner of the cart.
    pub user: UserId,
    /// The state of the line: an id that every change of the line replaces.
    pub rev: LineRev,
    /// The number of pieces in the line.
    pub quantity: i64,
}

#[derive(Deserialize)]
struct WithId {
    #[serde(rename = "_id")]
    id: ProductId,
}

impl Carts {
    /// Returns the products of which all carts together hold more than there is (U5).
    ///
    /// Looks at the products in `among`, or at all products for `None`. A deleted product counts as one without stock.
    pub(in crate::carts) async fn products_held_above_stock(
        &self,
        among: Option<&[ProductId]>,
    ) -> Result<Vec<ProductId>, StoreError> {
        let is_looked_at = among.map_or_else(
            || doc! { "$exists": true },
            |products| doc! { "$in": products.iter().copied().map(Bson::from).collect::<Vec<_>>() },
        );
        let match_product = doc! { "$match": { "cart.items.product_id": is_looked_at } };
        let lookup = doc! { "from": PRODUCTS, "localField": "_id", "foreignField": "_id",
        "pipeline": [{ "$project": { "stock": 1 } }], "as": "product" };
        let stock = doc! { "$max": [0, { "$ifNull": [{ "$first": "$product.stock" }, 0] }] };
        let pipeline = [
            match_product.clone(),
            doc! { "$unwind": "$cart.items" },
            match_product,
            doc! { "$group": { "_id": "$cart.items.product_id", "held": { "$sum": "$cart.items.quantity" } } },
            doc! { "$lookup": lookup },
            doc! { "$match": { "$expr": { "$gt": ["$held", stock] } } },
            doc! { "$project": { "_id": 1 } },
        ];
        let found = self.snapshot_docs().aggregate(pipeline).allow_disk_use(true).with_type::<WithId>().await?;
        Ok(found.map_ok(|product| product.id).try_collect().await?)
    }

    /// Returns the lines of a product as a transaction sees them, the oldest first.
    pub(in crate::carts) async fn lines_of(
        &self,
        product: ProductId,
        tx: &mut ClientSession,
    ) -> mongodb::error::Result<Vec<HeldLine>> {
        let match_product = doc! { "$match": { "cart.items.product_id": product } };
        let fields = doc! { "_id": 0, "user": "$_id", "rev": "$cart.items.rev", "quantity": "$cart.items.quantity",
        "added_at": "$cart.items.added_at" };
        let pipeline = [
            match_product.clone(),
            doc! { "$unwind": "$cart.items" },
            match_product,
            doc! { "$project": fields },
            doc! { "$sort": { "added_at": 1, "user": 1 } },
        ];
        let found = self.docs.aggregate(pipeline).allow_disk_use(true).session(&mut *tx).with_type::<HeldLine>();
        found.await?.stream(tx).try_collect().await
    }

    /// Sets lines of a product to their shares. A line is skipped if its state is not the one in the plan any more
    /// (U3).
    ///
    /// Returns how many lines were skipped. Doing it twice changes nothing, but the second call skips all lines,
    /// because the first one has changed their states.
    pub(in crate::carts) async fn clamp_lines(
        &self,
        product: ProductId,
        lines: &[PlannedLine],
    ) -> Result<usize, StoreError> {
        let mut missed = 0;
        let statement = |line: &PlannedLine| {
            let (filter, update) = clamp_update(line.user, product, line.rev, line.share);
            doc! { "q": filter, "u": update }
        };
        for batch in lines.chunks(BATCH) {
            let updates: Vec<Document> = batch.iter().map(statement).collect();
            missed += batch.len().saturating_sub(self.update_each(updates).await?);
        }
        Ok(missed)
    }

    /// Carries out updates and returns how many of them found their line.
    async fn update_each(&self, updates: Vec<Document>) -> Result<usize, StoreError> {
        let result = bulk::update_each(&self.connection, USERS, updates).await?;
        match result.errors.first().or(result.concern.as_ref()) {
            Some(refusal) => Err(error::with_code(refusal.code)),
            None => Ok(usize::try_from(result.n).unwrap_or(0)),
        }
    }

    /// Returns the collection for a read that sees one moment, and only writes that a majority of the servers has.
    fn snapshot_docs(&self) -> Collection<Document> {
        let options = CollectionOptions::builder().read_concern(ReadConcern::snapshot()).build();
        self.connection.collection_with(USERS, options)
    }
}

/// Returns filter and update that set one line to `pieces`, or remove it for 0, if its state is still `rev` (U3).
///
/// The line gets a new state, so that nobody else who knew the old one changes it.
pub(super) fn clamp_update(user: UserId, product: ProductId, rev: LineRev, pieces: i64) -> (Document, Document) {
    let filter = doc! { "_id": user, "cart.items": { "$elemMatch": { "product_id": product, "rev": rev } } };
    let update = if pieces > 0 {
        doc! { "$set": { "cart.items.$.quantity": pieces, "cart.items.$.rev": LineRev::new() } }
    } else {
        doc! { "$pull": { "cart.items": { "product_id": product, "rev": rev } } }
    };
    (filter, update)
}
