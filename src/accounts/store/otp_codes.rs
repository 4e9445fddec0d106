//! The collection `otp_codes`: challenges, each for one code that was asked for and is not used yet. Only the keyed
//! hash of a code is stored.

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

/// The maximum number of tries of one challenge.
pub const MAX_TRIES: i64 = 5;
pub(super) const NAME: &str = "otp_codes";

/// The purpose for which a code proves a number.
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

/// The document of a challenge.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OtpDoc {
    /// The id of the challenge, which the cookie of the browser holds.
    #[serde(rename = "_id")]
    pub id: ChallengeId,
    /// The purpose of the code.
    pub purpose: Purpose,
    /// The number that the code is for.
    pub number: E164,
    /// The account that the code is for; `None` at a sign-up, and for a number without an account.
    pub user: Option<UserId>,
    /// The keyed hash of the code; `None` before it is sent, and when the SMS service compares it.
    pub code_hash: Option<HashedToken>,
    /// Whether the code was sent. For a number without an account no code is sent, and no code is accepted.
    #[serde(default = "sent_by_default")]
    pub is_sent: bool,
    /// The number of tries.
    pub attempts: i64,
    /// The time of creation.
    pub created_at: Timestamp,
    /// The time at which it expires.
    pub expires_at: Timestamp,
}

/// The value of `is_sent` where the field is missing. Older versions stored a code only after it was sent.
fn sent_by_default() -> bool {
    true
}

#[derive(Deserialize)]
struct ChallengeWithId {
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
    /// Stores a challenge.
    pub(in crate::accounts) async fn insert(&self, challenge: &OtpDoc) -> Result<(), StoreError> {
        self.docs.insert_one(challenge).await?;
        Ok(())
    }

    /// Returns the challenges of a number for a purpose that have not expired, the newest first. With `user`, only
    /// those of that account. Challenges whose code was not sent are included.
    pub(in crate::accounts) async fn unexpired(
        &self,
        number: &E164,
        purpose: Purpose,
        user: Option<UserId>,
        now: Timestamp,
    ) -> Result<Vec<ChallengeId>, StoreError> {
        let stored_purpose = bson::serialize_to_bson(&purpose).map_err(mongodb::error::Error::from)?;
        let mut filter = doc! { "number": number, "purpose": stored_purpose, "expires_at": { "$gt": now } };
        if let Some(user) = user {
            filter.insert("user", user);
        }
        let ids = self.docs.clone_with_type::<ChallengeWithId>();
        let found = ids.find(filter).projection(doc! { "_id": 1 }).sort(doc! { "_id": -1 }).await?;
        Ok(found.map_ok(|challenge| challenge.id).try_collect().await?)
    }

    /// Notes that the code of a challenge was sent. `code_hash` is `None` when the SMS service compares the code.
    pub(in crate::accounts) async fn mark_sent(
        &self,
        id: ChallengeId,
        code_hash: Option<&HashedToken>,
    ) -> Result<(), StoreError> {
        let sent = doc! { "code_hash": code_hash.map_or(Bson::Null, Bson::from), "is_sent": true };
        self.docs.update_one(doc! { "_id": id }, doc! { "$set": sent }).await?;
        Ok(())
    }

    /// Returns a challenge that has not expired, without counting a try.
    pub(in crate::accounts) async fn find(
        &self,
        id: ChallengeId,
        now: Timestamp,
    ) -> Result<Option<OtpDoc>, StoreError> {
        Ok(self.docs.find_one(doc! { "_id": id, "expires_at": { "$gt": now } }).await?)
    }

    /// Counts a try and returns the challenge. Returns `None`, and counts nothing, when the challenge does not exist
    /// any more, has expired, or was tried too often.
    pub(in crate::accounts) async fn count_try(
        &self,
        id: ChallengeId,
        now: Timestamp,
    ) -> Result<Option<OtpDoc>, StoreError> {
        let filter = doc! { "_id": id, "expires_at": { "$gt": now }, "attempts": { "$lt": MAX_TRIES } };
        let counted = self.docs.find_one_and_update(filter, doc! { "$inc": { "attempts": 1_i64 } });
        Ok(counted.return_document(ReturnDocument::After).await?)
    }

    /// Undoes the count of a try whose code could not be checked because of an error.
    pub(in crate::accounts) async fn uncount_try(&self, id: ChallengeId) -> Result<(), StoreError> {
        let filter = doc! { "_id": id, "attempts": { "$gt": 0 } };
        self.docs.update_one(filter, doc! { "$inc": { "attempts": -1_i64 } }).await?;
        Ok(())
    }

    /// Returns whether a challenge has not expired but was tried too often.
    pub(in crate::accounts) async fn is_spent(&self, id: ChallengeId, now: Timestamp) -> Result<bool, StoreError> {
        let filter = doc! { "_id": id, "expires_at": { "$gt": now }, "attempts": { "$gte": MAX_TRIES } };
        Ok(self.docs.count_documents(filter).await? > 0)
    }

    /// Uses a challenge up. Returns `false` when another call was faster.
    pub(in crate::accounts) async fn consume(&self, challenge: &OtpDoc) -> Result<bool, StoreError> {
        let hash = challenge.code_hash.as_ref().map_or(Bson::Null, Bson::from);
        Ok(self.docs.delete_one(doc! { "_id": challenge.id, "code_hash": hash }).await?.deleted_count == 1)
    }
}
