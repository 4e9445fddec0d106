//! The collection `workers`: which process currently does which background work (U8). It has one document for each
//! worker. A process that wants to do the work takes a lease for a few seconds and renews it as long as it works.

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

/// The collection `workers`.
#[derive(Clone)]
pub struct Leases {
    docs: Collection<Document>,
}

/// The right of one process to do the work of one worker for a limited time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// Name of the worker.
    pub worker: &'static str,
    /// The process that does the work.
    pub holder: HolderId,
    /// Number of the turn. It stays the same when the lease is renewed in time. It increases by one when another
    /// process takes the lease, and when the same process takes it again after it ran out or was released.
    pub epoch: i64,
}

/// The result of saving the id of a holder's database session.
#[derive(Debug)]
pub enum SavedSession {
    /// The id was saved.
    Saved {
        /// The id that was saved before, if any.
        previous: Option<Document>,
    },
    /// The lease was taken anew since, and nothing was saved.
    LeaseLost,
}

impl Lease {
    fn filter(self) -> Document {
        doc! { "_id": self.worker, "holder": self.holder, "epoch": self.epoch }
    }
}

#[derive(Deserialize)]
struct EpochPart {
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
    /// Creates the document of a worker if it is missing. [`Leases::take`] only updates it, so two processes can't both
    /// create a lease. Doing it twice changes nothing.
    pub async fn declare(&self, worker: &str) -> Result<(), StoreError> {
        let update = self.docs.update_one(doc! { "_id": worker }, doc! { "$setOnInsert": { "epoch": 0_i64 } });
        match update.upsert(true).await.map_err(StoreError::from) {
            Err(StoreError::Duplicate) => Ok(()),
            result => result.map(drop),
        }
    }

    /// Takes or renews the lease for `duration` from now; returns `None` while another process holds it. Times are
    /// those of the database's clock, which all instances share.
    pub async fn take(
        &self,
        worker: &'static str,
        holder: HolderId,
        duration: Duration,
    ) -> Result<Option<Lease>, StoreError> {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        let is_over = doc! { "$lte": [{ "$ifNull": ["$until", DateTime::from_millis(0)] }, "$$NOW"] };
        let is_own = doc! { "$eq": ["$holder", holder] };
        let filter = doc! { "_id": worker, "$expr": { "$or": [is_own.clone(), is_over] } };
        let is_renewal = doc! { "$and": [is_own, { "$gt": ["$until", "$$NOW"] }] };
        let update = vec![doc! { "$set": {
            "epoch": { "$cond": [is_renewal, "$epoch", { "$add": ["$epoch", 1_i64] }] },
            "holder": holder,
            "until": { "$add": ["$$NOW", millis] },
        } }];
        let docs = self.docs.clone_with_type::<EpochPart>();
        let action = docs.find_one_and_update(filter, update).projection(doc! { "epoch": 1 });
        let taken = action.return_document(ReturnDocument::After).await?;
        Ok(taken.map(|part| Lease { worker, holder, epoch: part.epoch }))
    }

    /// Returns the place up to which a worker has processed its change stream; `None` if none is saved.
    pub async fn position(&self, worker: &str) -> Result<Option<Position>, StoreError> {
        #[derive(Deserialize)]
        struct PositionPart {
            position: Option<Position>,
        }
        let found: Option<PositionPart> = find_part(&self.docs, doc! { "_id": worker }, doc! { "position": 1 }).await?;
        Ok(found.and_then(|part| part.position))
    }

    /// Saves the place up to which a worker has processed its change stream; `None` forgets the saved place. Returns
    /// false, and saves nothing, if the lease was taken anew since.
    pub async fn save_position(&self, lease: Lease, position: Option<&Position>) -> Result<bool, StoreError> {
        let value = bson::serialize_to_bson(&position).map_err(mongodb::error::Error::from)?;
        let result = self.docs.update_one(lease.filter(), doc! { "$set": { "position": value } }).await?;
        Ok(result.matched_count == 1)
    }

    /// Saves the id of the holder's database session and returns the id that was saved before, so that the caller can
    /// end a session that a crashed holder has left open.
    pub async fn save_session(&self, lease: Lease, session: &Document) -> Result<SavedSession, StoreError> {
        #[derive(Deserialize)]
        struct SessionPart {
            session: Option<Document>,
        }
        let docs = self.docs.clone_with_type::<SessionPart>();
        let action = docs.find_one_and_update(lease.filter(), doc! { "$set": { "session": session } });
        Ok(match action.projection(doc! { "session": 1 }).await? {
            Some(before) => SavedSession::Saved { previous: before.session },
            None => SavedSession::LeaseLost,
        })
    }

    /// Gives the lease back, so that another instance can take it at once. Does nothing if it was taken anew since.
    pub async fn release(&self, lease: Lease) -> Result<(), StoreError> {
        self.docs.update_one(lease.filter(), doc! { "$unset": { "until": "" } }).await?;
        Ok(())
    }
}
