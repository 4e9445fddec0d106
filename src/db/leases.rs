//! The collection `workers`: which process does which work in the background (U8).

use std::time::Duration;

use bson::{DateTime, Document, doc};
use mongodb::{Collection, options::ReturnDocument};
use serde::Deserialize;

use super::{
    StoreError,
    position::Position,
    query::find_part,
    schema::{Connection, Layout, StorePart},
};
use crate::values::ids::HolderId;

const NAME: &str = "workers";

/// The collection.
#[derive(Clone)]
pub struct Leases {
    docs: Collection<Document>,
}

/// One turn of one process at one worker's work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// Whose work.
    pub worker: &'static str,
    /// The process that does it.
    pub holder: HolderId,
    /// Tells the turns apart: each new holder has another one.
    pub epoch: i64,
}

impl Lease {
    fn filter(self) -> Document {
        doc! { "_id": self.worker, "holder": self.holder, "epoch": self.epoch }
    }
}

#[derive(Deserialize)]
struct Held {
    epoch: i64,
}

impl StorePart for Leases {
    fn open(connection: &Connection) -> Self {
        Self { docs: connection.collection(NAME) }
    }

    fn layout() -> Option<Layout> {
        Some(Layout { collection: NAME, indexes: vec![], validator: doc! {} })
    }
}

impl Leases {
    /// Makes the document of a worker where it is missing: a lease is only ever updated, so that two can't both make it.
    pub async fn declare(&self, worker: &str) -> Result<(), StoreError> {
        let made = self.docs.update_one(doc! { "_id": worker }, doc! { "$setOnInsert": { "epoch": 0_i64 } });
        match made.upsert(true).await.map_err(StoreError::from) {
            Err(StoreError::Duplicate) => Ok(()),
            made => made.map(drop),
        }
    }

    /// Takes or renews the lease for `span`, by the database's clock, which all instances share; `None` while somebody
    /// else holds it.
    pub async fn take(
        &self,
        worker: &'static str,
        holder: HolderId,
        span: Duration,
    ) -> Result<Option<Lease>, StoreError> {
        let span = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        let over = doc! { "$lte": [{ "$ifNull": ["$until", DateTime::from_millis(0)] }, "$$NOW"] };
        let own = doc! { "$eq": ["$holder", holder] };
        let filter = doc! { "_id": worker, "$expr": { "$or": [own.clone(), over] } };
        let renewed = doc! { "$and": [own, { "$gt": ["$until", "$$NOW"] }] };
        let update = vec![doc! { "$set": {
            "epoch": { "$cond": [renewed, "$epoch", { "$add": ["$epoch", 1_i64] }] },
            "holder": holder,
            "until": { "$add": ["$$NOW", span] },
        } }];
        let docs = self.docs.clone_with_type::<Held>();
        let taken = docs.find_one_and_update(filter, update).projection(doc! { "epoch": 1 });
        let taken = taken.return_document(ReturnDocument::After).await?;
        Ok(taken.map(|held| Lease { worker, holder, epoch: held.epoch }))
    }

    /// Where a worker stands in the stream of changes that it follows; `None` before it has begun to.
    pub async fn position(&self, worker: &str) -> Result<Option<Position>, StoreError> {
        #[derive(Deserialize)]
        struct Standing {
            position: Option<Position>,
        }
        let found: Option<Standing> = find_part(&self.docs, doc! { "_id": worker }, doc! { "position": 1 }).await?;
        Ok(found.and_then(|standing| standing.position))
    }

    /// Saves where a worker stands, `None` for nowhere; false when the lease is somebody else's by now.
    pub async fn save_position(&self, lease: Lease, position: Option<&Position>) -> Result<bool, StoreError> {
        let position = bson::serialize_to_bson(&position).map_err(mongodb::error::Error::from)?;
        let saved = self.docs.update_one(lease.filter(), doc! { "$set": { "position": position } }).await?;
        Ok(saved.matched_count == 1)
    }

    /// Writes down the database session of the holder, and tells that of the one before; `None` when the lease is
    /// somebody else's by now.
    pub async fn name_session(&self, lease: Lease, session: &Document) -> Result<Option<Option<Document>>, StoreError> {
        #[derive(Deserialize)]
        struct Before {
            session: Option<Document>,
        }
        let docs = self.docs.clone_with_type::<Before>();
        let before = docs.find_one_and_update(lease.filter(), doc! { "$set": { "session": session } });
        Ok(before.projection(doc! { "session": 1 }).await?.map(|before| before.session))
    }

    /// Gives the lease back, so that another instance need not wait for its end.
    pub async fn release(&self, lease: Lease) -> Result<(), StoreError> {
        self.docs.update_one(lease.filter(), doc! { "$unset": { "until": "" } }).await?;
        Ok(())
    }
}
