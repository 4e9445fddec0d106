//! The collection `otp_codes`: codes that were sent and not used yet. Only their keyed hashes are stored.

use std::time::Duration;

use bson::{Bson, doc};
use futures_util::TryStreamExt;
use mongodb::{Collection, options::ReturnDocument};
use serde::{Deserialize, Serialize};

use crate::{
    accounts::tokens::sealed::HashedToken,
    db::{
        StoreError,
        schema::{Connection, Layout, StorePart, index, swept},
    },
    values::{
        ids::{ChallengeId, UserId},
        phone::E164,
        time::Timestamp,
    },
};

/// How often one code may be tried.
pub const TRIES: i64 = 5;
pub(crate) const NAME: &str = "otp_codes";

/// What a code proves its number for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// A new account.
    Register,
    /// A new password.
    Reset,
    /// A new number for an account.
    ChangeNumber,
}

/// A code as stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OtpDoc {
    /// Its challenge.
    #[serde(rename = "_id")]
    pub id: ChallengeId,
    /// What it is for.
    pub purpose: Purpose,
    /// Where it was sent.
    pub number: E164,
    /// For whose account, when there is one.
    pub user: Option<UserId>,
    /// Its keyed hash; null when the SMS service compares it.
    pub code_hash: Option<HashedToken>,
    /// Whether it was sent. For a number without an account nothing is, and no code is right.
    #[serde(default = "yes")]
    pub is_sent: bool,
    /// How often it was tried.
    pub attempts: i64,
    /// When it was sent.
    pub created_at: Timestamp,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

/// Older versions stored a code only after sending it, so a missing field means that it was sent.
fn yes() -> bool {
    true
}

#[derive(Deserialize)]
struct WithId {
    #[serde(rename = "_id")]
    id: ChallengeId,
}

/// The collection.
#[derive(Clone)]
pub struct OtpCodes {
    docs: Collection<OtpDoc>,
}

impl StorePart for OtpCodes {
    fn open(connection: &Connection) -> Self {
        Self { docs: connection.collection(NAME) }
    }

    fn layout() -> Option<Layout> {
        let indexes = vec![
            swept(Duration::ZERO),
            index("number", doc! { "number": 1, "purpose": 1 }),
            index("user", doc! { "user": 1 }),
        ];
        Some(Layout { collection: NAME, indexes, validator: doc! {} })
    }
}

impl OtpCodes {
    /// Keeps a code.
    pub(in crate::accounts) async fn insert(&self, code: &OtpDoc) -> Result<(), StoreError> {
        self.docs.insert_one(code).await?;
        Ok(())
    }

    /// The codes that were sent to a number for a purpose (and an account), the newest first.
    pub(in crate::accounts) async fn live(
        &self,
        number: &E164,
        purpose: Purpose,
        user: Option<UserId>,
        now: Timestamp,
    ) -> Result<Vec<ChallengeId>, StoreError> {
        let purpose = bson::serialize_to_bson(&purpose).map_err(mongodb::error::Error::from)?;
        let mut filter = doc! { "number": number, "purpose": purpose, "expires_at": { "$gt": now } };
        if let Some(user) = user {
            filter.insert("user", user);
        }
        let ids = self.docs.clone_with_type::<WithId>();
        let found = ids.find(filter).projection(doc! { "_id": 1 }).sort(doc! { "_id": -1 }).await?;
        Ok(found.map_ok(|code| code.id).try_collect().await?)
    }

    /// Notes that a code was sent after all.
    pub(in crate::accounts) async fn mark_sent(
        &self,
        id: ChallengeId,
        code_hash: Option<&HashedToken>,
    ) -> Result<(), StoreError> {
        let sent = doc! { "code_hash": code_hash.map_or(Bson::Null, Bson::from), "is_sent": true };
        self.docs.update_one(doc! { "_id": id }, doc! { "$set": sent }).await?;
        Ok(())
    }

    /// A code that is still good, without counting a try.
    pub(in crate::accounts) async fn find(
        &self,
        id: ChallengeId,
        now: Timestamp,
    ) -> Result<Option<OtpDoc>, StoreError> {
        Ok(self.docs.find_one(doc! { "_id": id, "expires_at": { "$gt": now } }).await?)
    }

    /// Counts a try and returns the code; `None` when it is gone or was tried too often.
    pub(in crate::accounts) async fn attempt(
        &self,
        id: ChallengeId,
        now: Timestamp,
    ) -> Result<Option<OtpDoc>, StoreError> {
        let filter = doc! { "_id": id, "expires_at": { "$gt": now }, "attempts": { "$lt": TRIES } };
        let counted = self.docs.find_one_and_update(filter, doc! { "$inc": { "attempts": 1_i64 } });
        Ok(counted.return_document(ReturnDocument::After).await?)
    }

    /// Takes a try back that could not be compared.
    pub(in crate::accounts) async fn take_back(&self, id: ChallengeId) -> Result<(), StoreError> {
        let filter = doc! { "_id": id, "attempts": { "$gt": 0 } };
        self.docs.update_one(filter, doc! { "$inc": { "attempts": -1_i64 } }).await?;
        Ok(())
    }

    /// Whether a code is still there and was tried too often.
    pub(in crate::accounts) async fn is_spent(&self, id: ChallengeId, now: Timestamp) -> Result<bool, StoreError> {
        let filter = doc! { "_id": id, "expires_at": { "$gt": now }, "attempts": { "$gte": TRIES } };
        Ok(self.docs.count_documents(filter).await? > 0)
    }

    /// Uses a code up; false when somebody else just has.
    pub(in crate::accounts) async fn consume(&self, code: &OtpDoc) -> Result<bool, StoreError> {
        let hash = code.code_hash.as_ref().map_or(Bson::Null, Bson::from);
        Ok(self.docs.delete_one(doc! { "_id": code.id, "code_hash": hash }).await?.deleted_count == 1)
    }
}
