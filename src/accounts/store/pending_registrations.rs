//! The collection `pending_registrations`: accounts that wait for the code sent to their number. None replaces another.

use std::time::Duration;

use bson::doc;
use futures_util::TryStreamExt;
use mongodb::Collection;
use serde::{Deserialize, Serialize};

use crate::{
    accounts::{
        rules::{password::PasswordHash, username::Username},
        tokens::sealed::HashedToken,
    },
    db::{
        StoreError,
        schema::{Connection, Layout, StorePart, index, swept},
    },
    values::{email::Email, ids::ChallengeId, phone::E164, time::Timestamp},
};

const NAME: &str = "pending_registrations";

/// An account that waits.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PendingDoc {
    /// The challenge of its code.
    #[serde(rename = "_id")]
    pub id: ChallengeId,
    /// The number to be proven.
    pub number: E164,
    /// The name.
    pub username: Username,
    /// The address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    /// bcrypt.
    pub password_hash: PasswordHash,
    /// Tells whether two pendings ask for the same name with the same password.
    pub claim: HashedToken,
    /// Until when it waits.
    pub expires_at: Timestamp,
}

/// The collection.
#[derive(Clone)]
pub struct PendingRegistrations {
    docs: Collection<PendingDoc>,
}

impl StorePart for PendingRegistrations {
    fn open(connection: &Connection) -> Self {
        Self { docs: connection.collection(NAME) }
    }

    fn layout() -> Option<Layout> {
        Some(Layout {
            collection: NAME,
            indexes: vec![swept(Duration::ZERO), index("number", doc! { "number": 1 })],
            validator: doc! {},
        })
    }
}

impl PendingRegistrations {
    /// Keeps a pending.
    pub(in crate::accounts) async fn insert(&self, pending: &PendingDoc) -> Result<(), StoreError> {
        self.docs.insert_one(pending).await?;
        Ok(())
    }

    /// The pendings of a number, the newest first.
    pub(in crate::accounts) async fn live(&self, number: &E164, now: Timestamp) -> Result<Vec<PendingDoc>, StoreError> {
        let filter = doc! { "number": number, "expires_at": { "$gt": now } };
        Ok(self.docs.find(filter).sort(doc! { "_id": -1 }).await?.try_collect().await?)
    }

    /// Removes a pending that became an account.
    pub(in crate::accounts) async fn delete(&self, id: ChallengeId) -> Result<(), StoreError> {
        self.docs.delete_one(doc! { "_id": id }).await?;
        Ok(())
    }
}
