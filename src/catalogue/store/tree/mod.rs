//! Writes to the tree.
//!
//! Each write is one transaction. It covers the document, everything that must change with it (the parent's counter,
//! the image), and the entry in the audits (U7). Only the products below a deleted branch are removed later, in
//! batches.
//!
//! Reading the whole tree at one moment is here too, for exports.

mod audit_entries;
mod bulk;
mod delete;
mod export;
mod images;
mod import;
mod insert;
mod node;
mod update;

use std::sync::Arc;

use bson::doc;
use mongodb::Collection;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

pub(in crate::catalogue) use self::bulk::is_changed;
pub use self::{
    bulk::BulkOutcome,
    delete::BelowCounts,
    export::{ExportedEntry, Snapshot},
    images::GoneImage,
    import::{Codes, Entries, FoundEntries},
    insert::InsertOutcome,
    node::{Child, Node},
    update::UpdateOutcome,
};
use crate::{
    audits::store::Audits,
    catalogue::store::bulk_plans::BulkPlans,
    db::schema::{Connection, Layout, StorePart, index},
    images::store::ImageTrash,
    values::{codes::FullCode, time::Timestamp},
};

const PURGES: &str = "purges";

/// The job to remove the products below a deleted branch. While it exists, the code of the branch stays taken.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct PurgeDoc {
    #[serde(rename = "_id")]
    code: FullCode,
    /// The time when the job was made or the last batch was removed. If it is long ago, the process that worked at the
    /// job is gone.
    touched_at: Timestamp,
}

/// The four levels of the tree, with the collections that are written together with them.
#[derive(Clone)]
pub struct Tree {
    connection: Connection,
    purges: Collection<PurgeDoc>,
    audits: Audits,
    trash: ImageTrash,
    bulk_plans: BulkPlans,
    /// Inserts, changes, deletions and imports of this process wait here for each other. Otherwise they would conflict
    /// in the database and be repeated.
    write_lock: Arc<Mutex<()>>,
}

impl StorePart for Tree {
    fn open(connection: &Connection) -> Self {
        Self {
            connection: connection.clone(),
            purges: connection.collection(PURGES),
            audits: Audits::open(connection),
            trash: ImageTrash::open(connection),
            bulk_plans: BulkPlans::open(connection),
            write_lock: Arc::default(),
        }
    }

    fn layout() -> Option<Layout> {
        let indexes = vec![index("touched_at", doc! { "touched_at": 1 })];
        Some(Layout { collection: PURGES, indexes, validator: doc! {} })
    }
}

impl Tree {
    fn docs<N: Node>(&self) -> Collection<N> {
        self.connection.collection(N::COLLECTION)
    }
}
