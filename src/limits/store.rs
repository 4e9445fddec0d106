//! The collection `rate_limits`: the times at which limited actions were done, which all instances share. Each document
//! has the taken slots ("hits") of one key.

use bson::{Document, doc};
use mongodb::{
    ClientSession, Collection,
    options::{Acknowledgment, CollectionOptions, ReturnDocument, WriteConcern},
};
use serde::Deserialize;

use crate::{
    db::{
        StoreError,
        query::find_part,
        schema::{Connection, Layout, StorePart, swept},
    },
    values::{ids::HitId, limits::Rate, time::Timestamp},
};

const NAME: &str = "rate_limits";

/// The collection `rate_limits`.
#[derive(Clone)]
pub struct RateLimits {
    docs: Collection<Document>,
}

/// The result of an attempt to take a slot.
pub(super) enum Attempt {
    /// The slot was taken.
    Taken,
    /// No slot is free.
    Full {
        /// The time at which the next slot will be free.
        free_at: Timestamp,
    },
}

/// The part of a document that is read after an attempt.
#[derive(Deserialize)]
struct Hits {
    hits: Vec<Hit>,
    /// Whether the last attempt has taken a slot.
    taken: bool,
}

#[derive(Deserialize)]
struct Hit {
    at: Timestamp,
}

impl StorePart for RateLimits {
    fn open(connection: &Connection) -> Self {
        // Every limited call waits for these writes, so they wait neither for a majority nor for the disk. A crash may
        // lose the last of them, which is acceptable for limits.
        let quick = WriteConcern::builder().w(Acknowledgment::Nodes(1)).journal(false).build();
        let options = CollectionOptions::builder().write_concern(quick).build();
        Self { docs: connection.collection_with(NAME, options) }
    }

    fn layout() -> Option<Layout> {
        Some(Layout { collection: NAME, indexes: vec![swept(std::time::Duration::ZERO)], validator: doc! {} })
    }
}

impl RateLimits {
    /// Takes a slot under `key` and calls it `hit`, if one is free.
    pub(super) async fn take(&self, key: &str, hit: HitId, rate: Rate, now: Timestamp) -> Result<Attempt, StoreError> {
        let updated = match self.try_take(key, hit, rate, now).await {
            // Two calls were the first for this key. The other one has created the document, so it is found now.
            Err(StoreError::Duplicate) => self.try_take(key, hit, rate, now).await?,
            result => result?,
        };
        Ok(match updated {
            Some(Hits { hits, taken: false }) => {
                Attempt::Full { free_at: hits.first().map_or(now, |oldest| oldest.at.after(rate.window)) }
            }
            _ => Attempt::Taken,
        })
    }

    /// Gives the slot called `hit` back. Giving it back twice is no error.
    pub(super) async fn give_back(&self, key: &str, hit: HitId) -> Result<(), StoreError> {
        self.docs.update_one(doc! { "_id": key }, doc! { "$pull": { "hits": { "_id": hit } } }).await?;
        Ok(())
    }

    /// Removes all slots under keys that begin with `prefix`.
    pub(super) async fn clear(&self, prefix: &str) -> Result<(), StoreError> {
        self.docs.delete_many(keys_beginning_with(prefix)).await?;
        Ok(())
    }

    /// Does the same as [`RateLimits::clear`] in a transaction, so that it is recorded in the audits if and only if it
    /// is done.
    pub(crate) async fn clear_in(&self, tx: &mut ClientSession, prefix: &str) -> mongodb::error::Result<()> {
        self.docs.delete_many(keys_beginning_with(prefix)).session(tx).await.map(drop)
    }

    /// Returns whether any key that begins with `prefix` has no free slot. `rate` gives the window, and the count for
    /// keys that older versions stored without one.
    pub(super) async fn is_full(&self, prefix: &str, rate: Rate, now: Timestamp) -> Result<bool, StoreError> {
        let mut filter = keys_beginning_with(prefix);
        // Each key has its own limit, because networks have a higher one than single addresses.
        let limit = doc! { "$ifNull": ["$limit", i64::from(rate.count)] };
        filter.insert("$expr", doc! { "$gte": [{ "$size": hits_after(now.before(rate.window)) }, limit] });
        let found: Option<Document> = find_part(&self.docs, filter, doc! { "_id": 1 }).await?;
        Ok(found.is_some())
    }

    async fn try_take(&self, key: &str, hit: HitId, rate: Rate, now: Timestamp) -> Result<Option<Hits>, StoreError> {
        let update = vec![
            doc! { "$set": { "hits": hits_after(now.before(rate.window)) } },
            doc! { "$set": { "taken": { "$lt": [{ "$size": "$hits" }, i64::from(rate.count)] } } },
            doc! { "$set": {
                "hits": { "$cond": ["$taken", { "$concatArrays": ["$hits", [{ "_id": hit, "at": now }]] }, "$hits"] },
                "limit": i64::from(rate.count),
                "expires_at": now.after(rate.window),
            } },
        ];
        let docs = self.docs.clone_with_type::<Hits>();
        // Only the oldest hit is returned, since it tells when a slot is free again. There can be thousands of hits.
        let fields = doc! { "taken": 1, "hits": { "$slice": 1 } };
        let action = docs.find_one_and_update(doc! { "_id": key }, update).upsert(true).projection(fields);
        Ok(action.return_document(ReturnDocument::After).await?)
    }
}

/// Returns an expression for the hits of a document that are later than a time.
fn hits_after(time: Timestamp) -> Document {
    let is_later = doc! { "$gt": ["$$h.at", time] };
    doc! { "$filter": { "input": { "$ifNull": ["$hits", []] }, "as": "h", "cond": is_later } }
}

/// Returns a filter for the keys that begin with `prefix`. In ASCII, `~` comes after all characters of a key.
fn keys_beginning_with(prefix: &str) -> Document {
    doc! { "_id": { "$gte": prefix, "$lt": format!("{prefix}~") } }
}
