//! The collection `locks`: documents that transactions touch, so that of two which would each pass the other's check one
//! has to start again and sees what the other did.

use bson::{Document, doc};
use mongodb::{ClientSession, Collection};

use super::{
    StoreError,
    schema::{Connection, Layout, StorePart},
};

const NAME: &str = "locks";

/// What only one transaction at a time decides about.
#[derive(Debug, Clone, Copy)]
pub enum Lock {
    /// Who runs the accounts.
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

/// The collection.
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
}

impl Locks {
    /// Makes the documents where they are missing: two transactions that both made one would fail in place of waiting.
    pub async fn declare(&self) -> Result<(), StoreError> {
        let ids = Lock::ALL.map(Lock::id).to_vec();
        if self.docs.count_documents(doc! { "_id": { "$in": &ids } }).await? == ids.len() as u64 {
            return Ok(());
        }
        for id in ids {
            let made = self.docs.update_one(doc! { "_id": id }, doc! { "$setOnInsert": { "rev": 0_i64 } });
            match made.upsert(true).await.map_err(StoreError::from) {
                // Another instance was faster.
                Err(StoreError::Duplicate) => {}
                made => drop(made?),
            }
        }
        Ok(())
    }

    /// Makes the transaction conflict with every other one that touches the lock.
    pub async fn touch_in(&self, tx: &mut ClientSession, lock: Lock) -> mongodb::error::Result<()> {
        let touch = doc! { "$inc": { "rev": 1_i64 } };
        // A lock that somebody removed is made anew: without it nothing would conflict.
        self.docs.update_one(doc! { "_id": lock.id() }, touch).upsert(true).session(tx).await.map(drop)
    }
}
