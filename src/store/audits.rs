//! The collection `audits`: what happened that somebody may ask about later. Only ever appended to.

use std::time::Duration;

use bson::{Document, doc};
use mongodb::{Collection, Database};
use serde::{Deserialize, Serialize};

use super::{Layout, StoreError, index, swept};
use crate::domain::{
    ids::{AuditId, SessionRef},
    time::Timestamp,
};

const NAME: &str = "audits";

/// One entry. Secrets never get here.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AuditDoc {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: AuditId,
    /// The collection that it is about.
    pub collection: String,
    /// What happened.
    pub operation: String,
    /// Which document it happened to.
    pub document_key: Document,
    /// What changed.
    pub update_description: Document,
    /// When.
    pub timestamp: Timestamp,
    /// Until when it is kept.
    pub expires_at: Timestamp,
}

impl AuditDoc {
    /// A session was ended, since an old token of it was used.
    pub fn session_stolen(session: SessionRef, now: Timestamp, retention: Duration) -> Self {
        Self {
            id: AuditId::new(),
            collection: "users".to_owned(),
            operation: "session_stolen".to_owned(),
            document_key: doc! { "_id": session.user },
            update_description: doc! { "removed": { "sessions": session.session } },
            timestamp: now,
            expires_at: now.after(retention),
        }
    }
}

pub(super) fn layout() -> Layout {
    let indexes = vec![swept(Duration::ZERO), index("timestamp", doc! { "timestamp": -1, "_id": -1 })];
    Layout { collection: NAME, indexes, validator: doc! {} }
}

/// The collection.
#[derive(Clone)]
pub struct Audits {
    docs: Collection<AuditDoc>,
}

impl Audits {
    pub(super) fn new(database: &Database) -> Self {
        Self { docs: database.collection(NAME) }
    }

    /// Appends an entry.
    pub async fn append(&self, entry: &AuditDoc) -> Result<(), StoreError> {
        self.docs.insert_one(entry).await?;
        Ok(())
    }
}
