//! The collection `pending_registrations`: new accounts that wait for the code that was sent to their number. A number
//! can have several at the same time.

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

/// The document of a pending registration.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PendingDoc {
    /// The challenge of the code.
    #[serde(rename = "_id")]
    pub id: ChallengeId,
    /// The phone number, which the code will prove.
    pub number: E164,
    /// The username.
    pub username: Username,
    /// The e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    /// The bcrypt hash of the password.
    pub password_hash: PasswordHash,
    /// The hash of name and password. It shows whether two registrations ask for the same name with the same password.
    pub claim: HashedToken,
    /// The time at which it expires.
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
    /// Stores a pending registration.
    pub(in crate::accounts) async fn insert(&self, pending: &PendingDoc) -> Result<(), StoreError> {
        self.docs.insert_one(pending).await?;
        Ok(())
    }

    /// Returns the pending registrations of a number that have not expired, the newest first.
    pub(in crate::accounts) async fn unexpired(
        &self,
        number: &E164,
        now: Timestamp,
    ) -> Result<Vec<PendingDoc>, StoreError> {
        let filter = doc! { "number": number, "expires_at": { "$gt": now } };
        Ok(self.docs.find(filter).sort(doc! { "_id": -1 }).await?.try_collect().await?)
    }

    /// Deletes a pending registration whose account was made.
    pub(in crate::accounts) async fn delete(&self, id: ChallengeId) -> Result<(), StoreError> {
        self.docs.delete_one(doc! { "_id": id }).await?;
        Ok(())
    }
}
