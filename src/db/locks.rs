//! The collection `locks`: documents that transactions touch to exclude each other.
//!
//! Two transactions that change different documents don't conflict, even if one of them makes the other one's check
//! fail. For example, the last two admins demote each other at the same moment: each transaction still sees that its
//! author is an admin, and afterwards there is none. If both transactions touch the same lock first, one of them has to
//! start again, and then it sees what the other did.

use bson::{Document, doc};
use mongodb::{ClientSession, Collection};

use super::{
    StoreError,
    schema::{Connection, Layout, StorePart},
};

const NAME: &str = "locks";

/// A decision that only one transaction at a time may make.
#[derive(Debug, Clone, Copy)]
pub enum Lock {
    /// Which accounts are admins.
    Admins,
    /// Which invitations are open.
    Invitations,
}

impl Lock {
    const ALL: [Self; 2] = [Self::Admins, Self::Invitations];

    const fn id(self) -> &'static str {
        match self {
            Self::Admins => "admins",
            Self::Invitations => "invitations",
        }
    }
}

/// The collection `locks`.
#[derive(Clone)]
pub struct Locks {
    docs: Collection<Document>,
}

impl StorePart for Locks {
    fn open(connection: &Connection) -> Self {
        Self { docs: connection.collection(NAME) }
    }

    fn layout() -> Option<Layout> {
        Some(Layout { collection: NAME, indexes: vec![], validator: doc! {} })
    }

    /// Creates the documents that are missing. If transactions had to create them, one of two at once would fail for
    /// good with a duplicate `_id` instead of conflicting, which is retried. Doing it twice changes nothing.
    async fn complete(&self) -> Result<(), StoreError> {
        let ids = Lock::ALL.map(Lock::id).to_vec();
        if self.docs.count_documents(doc! { "_id": { "$in": &ids } }).await? == ids.len() as u64 {
            return Ok(());
        }
        for id in ids {
            let update = self.docs.update_one(doc! { "_id": id }, doc! { "$setOnInsert": { "rev": 0_i64 } });
            match update.upsert(true).await.map_err(StoreError::from) {
                // Another instance has created it meanwhile.
                Err(StoreError::Duplicate) => {}
                result => drop(result?),
            }
        }
        Ok(())
    }
}

impl Locks {
    /// Touches the lock in the transaction `tx`, which then conflicts with every other transaction that touches it.
    pub async fn touch_in(&self, tx: &mut ClientSession, lock: Lock) -> mongodb::error::Result<()> {
        let touch = doc! { "$inc": { "rev": 1_i64 } };
        // `upsert` creates a document that somebody has removed; without it, transactions would not conflict.
        self.docs.update_one(doc! { "_id": lock.id() }, touch).upsert(true).session(tx).await.map(drop)
    }
}
