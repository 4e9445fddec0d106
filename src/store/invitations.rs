//! The collection `invitations`: who may become staff.

use std::time::Duration;

use bson::{Document, doc};
use futures_util::TryStreamExt;
use mongodb::{Collection, Database};
use serde::{Deserialize, Serialize};

use super::{Layout, StoreError, index, swept};
use crate::domain::{
    email::Email,
    ids::{InvitationId, UserId},
    time::Timestamp,
};

pub(super) const NAME: &str = "invitations";

/// An invitation as stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InvitationDoc {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: InvitationId,
    /// Who is invited.
    pub email: Email,
    /// The admin who invited.
    pub invited_by: UserId,
    /// When.
    pub created_at: Timestamp,
    /// Until when it is open.
    pub expires_at: Timestamp,
    /// When somebody became staff by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_at: Option<Timestamp>,
}

pub(super) fn layout() -> Layout {
    Layout {
        collection: NAME,
        indexes: vec![swept(Duration::ZERO), index("email", doc! { "email": 1 })],
        validator: doc! {},
    }
}

/// Invitations that nobody has used and that are not past their time.
pub(super) fn open(now: Timestamp) -> Document {
    doc! { "used_at": null, "expires_at": { "$gt": now } }
}

/// The collection.
#[derive(Clone)]
pub struct Invitations {
    docs: Collection<InvitationDoc>,
}

impl Invitations {
    pub(super) fn new(database: &Database) -> Self {
        Self { docs: database.collection(NAME) }
    }

    /// Keeps an invitation; it takes the place of open ones to the same address.
    pub async fn insert(&self, invitation: &InvitationDoc) -> Result<(), StoreError> {
        self.docs.insert_one(invitation).await?;
        let older = doc! { "email": &invitation.email, "used_at": null, "_id": { "$ne": invitation.id } };
        self.docs.delete_many(older).await?;
        Ok(())
    }

    /// The open invitations after one, the oldest first, and how many there are in all.
    pub async fn page(
        &self,
        after: Option<InvitationId>,
        limit: i64,
        now: Timestamp,
    ) -> Result<(Vec<InvitationDoc>, u64), StoreError> {
        let mut filter = open(now);
        let total = self.docs.count_documents(filter.clone()).await?;
        if let Some(after) = after {
            filter.insert("_id", doc! { "$gt": after });
        }
        let found = self.docs.find(filter).sort(doc! { "_id": 1 }).limit(limit).await?;
        Ok((found.try_collect().await?, total))
    }

    /// Whether an open invitation names the address.
    pub async fn is_open(&self, email: &Email, now: Timestamp) -> Result<bool, StoreError> {
        let mut filter = open(now);
        filter.insert("email", email);
        Ok(self.docs.find_one(filter).await?.is_some())
    }

    /// Takes an open invitation back; false when there is none.
    pub async fn withdraw(&self, invitation: InvitationId, now: Timestamp) -> Result<bool, StoreError> {
        let mut filter = open(now);
        filter.insert("_id", invitation);
        Ok(self.docs.delete_one(filter).await?.deleted_count == 1)
    }
}
