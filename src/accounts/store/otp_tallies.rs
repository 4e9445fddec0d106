//! The collection `otp_tallies`: what is counted for a phone number and not for one challenge. These are the tries
//! without a cookie, the codes that the SMS service was asked about, and the sign-ups that were refused because of
//! limits.

use std::time::Duration;

use bson::{Bson, Document, doc};
use mongodb::{
    Collection,
    options::{ReturnDocument, UpdateModifications},
};
use serde::{Deserialize, Serialize};

use super::otp_codes::{MAX_TRIES, Purpose};
use crate::{
    accounts::tokens::sealed::HashedToken,
    db::{
        StoreError,
        schema::{Connection, Layout, StorePart, swept},
    },
    values::{phone::E164, time::Timestamp},
};

const NAME: &str = "otp_tallies";
/// The maximum number of different codes that the SMS service is asked about for one number. After more wrong ones the
/// service itself would close the number.
const MAX_ASKED: i64 = 5;
/// The maximum number of refused sign-ups that are remembered for one number.
const MAX_CLAIMS: i64 = 10;

/// What is known about a code before the SMS service is asked about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskOutcome {
    /// Nothing: the service can be asked.
    New,
    /// The service has said that it is wrong, or another call is asking just now.
    AskedBefore,
    /// The service was asked about so many codes of this number that it must not be asked about another one.
    TooManyAsked,
}

/// A document for one number. The tries for each purpose, the codes that were asked about, and the claims are in
/// separate documents, which differ in their ids.
#[derive(Debug, Serialize, Deserialize)]
struct TallyDoc {
    #[serde(rename = "_id")]
    id: String,
    #[serde(default)]
    tries: i64,
    #[serde(default)]
    asked: Vec<HashedToken>,
    #[serde(default)]
    claims: Vec<HashedToken>,
    expires_at: Timestamp,
}

/// The collection.
#[derive(Clone)]
pub struct OtpTallies {
    docs: Collection<TallyDoc>,
}

impl StorePart for OtpTallies {
    fn open(connection: &Connection) -> Self {
        Self { docs: connection.collection(NAME) }
    }

    fn layout() -> Option<Layout> {
        Some(Layout { collection: NAME, indexes: vec![swept(Duration::ZERO)], validator: doc! {} })
    }
}

impl OtpTallies {
    /// Counts a try without the cookie of a challenge. Returns `false` when all tries of the number were used. The
    /// count starts again at the time `until` of its first try.
    pub(in crate::accounts) async fn count_try(
        &self,
        number: &E164,
        purpose: Purpose,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let tries = doc! { "$cond": [is_unexpired(now), { "$add": [{ "$ifNull": ["$tries", 0_i64] }, 1_i64] }, 1_i64] };
        let expires_at = doc! { "$cond": [is_unexpired(now), "$expires_at", until] };
        let update = vec![doc! { "$set": { "tries": tries, "expires_at": expires_at } }];
        let tally = self.upsert(&tries_id(number, purpose), update, ReturnDocument::After).await?;
        Ok(tally.is_some_and(|tally| tally.tries <= MAX_TRIES))
    }

    /// Undoes the count of a try whose code could not be checked because of an error.
    pub(in crate::accounts) async fn uncount_try(&self, number: &E164, purpose: Purpose) -> Result<(), StoreError> {
        let filter = doc! { "_id": tries_id(number, purpose), "tries": { "$gt": 0 } };
        self.docs.update_one(filter, doc! { "$inc": { "tries": -1_i64 } }).await?;
        Ok(())
    }

    /// Starts the count of tries again, after a right code.
    pub(in crate::accounts) async fn forget_tries(&self, number: &E164, purpose: Purpose) -> Result<(), StoreError> {
        self.docs.delete_one(doc! { "_id": tries_id(number, purpose) }).await?;
        Ok(())
    }

    /// Notes that the SMS service is going to be asked about a code, and returns what was known about the code before.
    /// Call [`OtpTallies::forget_asked`] unless the service says that the code is wrong.
    pub(in crate::accounts) async fn note_asked(
        &self,
        number: &E164,
        code: &HashedToken,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<AskOutcome, StoreError> {
        let update = vec![doc! { "$set": { "asked": asked_with(code, now), "expires_at": until } }];
        let tally_before = self.upsert(&asked_id(number), update, ReturnDocument::Before).await?;
        let unexpired = tally_before.filter(|tally| tally.expires_at > now);
        let asked_before = unexpired.map(|tally| tally.asked).unwrap_or_default();
        if asked_before.contains(code) {
            return Ok(AskOutcome::AskedBefore);
        }
        let is_full = i64::try_from(asked_before.len()).is_ok_and(|count| count >= MAX_ASKED);
        Ok(if is_full { AskOutcome::TooManyAsked } else { AskOutcome::New })
    }

    /// Forgets that the SMS service was asked about a code, because it did not say that the code is wrong.
    pub(in crate::accounts) async fn forget_asked(&self, number: &E164, code: &HashedToken) -> Result<(), StoreError> {
        let filter = doc! { "_id": asked_id(number) };
        self.docs.update_one(filter, doc! { "$pull": { "asked": Bson::from(code) } }).await?;
        Ok(())
    }

    /// Remembers a sign-up that was refused because too many codes were asked for. `claim` is the hash of its name and
    /// its password.
    pub(in crate::accounts) async fn note_claim(
        &self,
        number: &E164,
        claim: &HashedToken,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let all_claims = doc! { "$setUnion": [unexpired_list("$claims", now), [{ "$literal": claim }]] };
        let claims = doc! { "$slice": [all_claims, MAX_CLAIMS] };
        let update = vec![doc! { "$set": { "claims": claims, "expires_at": until } }];
        self.upsert(&claims_id(number), update, ReturnDocument::After).await.map(drop)
    }

    /// Returns the refused sign-ups of a number.
    pub(in crate::accounts) async fn claims(
        &self,
        number: &E164,
        now: Timestamp,
    ) -> Result<Vec<HashedToken>, StoreError> {
        let found = self.docs.find_one(doc! { "_id": claims_id(number), "expires_at": { "$gt": now } }).await?;
        Ok(found.map(|tally| tally.claims).unwrap_or_default())
    }

    async fn upsert(
        &self,
        id: &str,
        stages: Vec<Document>,
        which: ReturnDocument,
    ) -> Result<Option<TallyDoc>, StoreError> {
        let update = UpdateModifications::Pipeline(stages);
        let call = || {
            let updated = self.docs.find_one_and_update(doc! { "_id": id }, update.clone()).upsert(true);
            updated.return_document(which.clone())
        };
        match call().await.map_err(StoreError::from) {
            // Another call has just inserted the same document, so now it is found.
            Err(StoreError::Duplicate) => Ok(call().await?),
            tally => tally,
        }
    }
}

/// Returns the expression for a list of hashes that a document holds; an empty list if the document has expired.
fn unexpired_list(field: &str, now: Timestamp) -> Document {
    doc! { "$cond": [is_unexpired(now), { "$ifNull": [field, []] }, []] }
}

/// Returns the expression for the list of codes that the SMS service was asked about, after `code` is added to it. The
/// list stays as it is if it contains the code already, or if it is full.
fn asked_with(code: &HashedToken, now: Timestamp) -> Document {
    let asked = unexpired_list("$asked", now);
    let is_known = doc! { "$in": [{ "$literal": code }, asked.clone()] };
    let is_full = doc! { "$gte": [{ "$size": asked.clone() }, MAX_ASKED] };
    let extended = doc! { "$concatArrays": [asked.clone(), [{ "$literal": code }]] };
    doc! { "$cond": [{ "$or": [is_known, is_full] }, asked, extended] }
}

/// Returns the expression for whether a document has not expired. The database may delete an expired document only
/// later.
fn is_unexpired(now: Timestamp) -> Document {
    doc! { "$gt": ["$expires_at", now] }
}

fn tries_id(number: &E164, purpose: Purpose) -> String {
    format!("tries {purpose:?} {number}")
}

fn claims_id(number: &E164) -> String {
    format!("claims {number}")
}

fn asked_id(number: &E164) -> String {
    format!("asked {number}")
}
