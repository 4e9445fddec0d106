//! The writes of the catalogue's administration: each is one transaction over the document, what it needs around it,
//! and the entry of the audits that tells of it (U7).

mod delete;
mod export;
mod import;
mod insert;
mod node;
mod told;
mod update;

use std::sync::Arc;

use bson::doc;
use mongodb::{Client, Collection, Database};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

pub use self::{
    delete::Below,
    export::{Entry, Snapshot},
    import::{Codes, Entries, Found},
    insert::Inserted,
    node::{Child, Node},
    update::Updated,
};
use crate::{
    audits::store::Audits,
    db::schema::{Connection, Layout, StorePart, index},
    images::store::ImageTrash,
    values::{codes::FullCode, time::Timestamp},
};

const PURGES: &str = "purges";

/// The products below a deleted branch, while they are being removed. As long as it is there its code is taken.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct PurgeDoc {
    #[serde(rename = "_id")]
    code: FullCode,
    /// When the last batch was removed: a job that stands still has lost whoever worked at it.
    touched_at: Timestamp,
}

/// The four levels together with what their writes touch besides.
#[derive(Clone)]
pub struct Tree {
    client: Client,
    database: Database,
    purges: Collection<PurgeDoc>,
    audits: Audits,
    trash: ImageTrash,
    /// Writes to the same part of the tree conflict in the database; in one process they had better queue.
    turns: Arc<Mutex<()>>,
}

impl StorePart for Tree {
    fn open(connection: &Connection) -> Self {
        Self {
            client: connection.client.clone(),
            database: connection.database.clone(),
            purges: connection.collection(PURGES),
            audits: Audits::open(connection),
            trash: ImageTrash::open(connection),
            turns: Arc::default(),
        }
    }

    fn layout() -> Option<Layout> {
        let indexes = vec![index("touched_at", doc! { "touched_at": 1 })];
        Some(Layout { collection: PURGES, indexes, validator: doc! {} })
    }
}

impl Tree {
    fn docs<N: Node>(&self) -> Collection<N> {
        self.database.collection(N::COLLECTION)
    }
}
