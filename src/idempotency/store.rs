//! The collection `idempotency_keys`: which requests with a key were made in the last 24 hours. It has neither what was
//! sent nor what was answered, only a fingerprint and the id of what was made.

use bson::{Binary, Bson, Document, doc, spec::BinarySubtype};
use futures_util::TryStreamExt;
use mongodb::{ClientSession, Collection};
use serde::{Deserialize, Serialize};

use crate::{
    db::{
        StoreError,
        schema::{Connection, Layout, StorePart, index, swept},
    },
    values::{
        ids::{HolderId, KeyedRequestId, UserId},
        keys::TAG_BYTES,
        time::Timestamp,
    },
};

const NAME: &str = "idempotency_keys";

/// The most keys of one account. A new one takes the place of the oldest.
const MOST_KEYS: u64 = 200;
/// How often a claim is tried while others change the same document.
const ATTEMPTS: usize = 5;

/// One key of an account.
#[derive(Debug, Serialize, Deserialize)]
struct KeyDoc {
    /// The account and the key.
    #[serde(rename = "_id")]
    id: String,
    account: UserId,
    request: KeyedRequestId,
    /// What was asked for, as a keyed digest.
    fingerprint: Binary,
    /// The turn that does the work, or did it.
    holder: HolderId,
    /// The end of the turn, if the request has not ended before.
    running_until: Timestamp,
    /// Whether the request has succeeded.
    is_done: bool,
    created_at: Timestamp,
    expires_at: Timestamp,
}

/// The right to do the work of a request, for a minute.
#[derive(Debug, Clone)]
pub struct Turn {
    /// The id under which the flow keeps what it makes. Each turn of the same request has the same.
    pub request: KeyedRequestId,
    document: String,
    holder: HolderId,
}

/// A key that may be new.
pub(super) struct NewKey<'a> {
    pub account: UserId,
    pub key: &'a str,
    pub fingerprint: &'a [u8; TAG_BYTES],
    pub running_until: Timestamp,
    pub expires_at: Timestamp,
}

/// The result of an attempt to get the turn.
pub(super) enum Claim {
    Taken(Turn),
    /// The request has succeeded before.
    Done(KeyedRequestId),
    /// Another turn has not ended.
    Running,
    /// Another request had the key.
    Foreign,
}

/// The collection `idempotency_keys`.
#[derive(Clone)]
pub struct IdempotencyKeys {
    docs: Collection<KeyDoc>,
}

impl StorePart for IdempotencyKeys {
    fn open(connection: &Connection) -> Self {
        Self { docs: connection.collection(NAME) }
    }

    fn layout() -> Option<Layout> {
        let by_account = index("account", doc! { "account": 1, "created_at": -1 });
        let indexes = vec![swept(std::time::Duration::ZERO), by_account];
        Some(Layout { collection: NAME, indexes, validator: doc! {} })
    }
}

impl IdempotencyKeys {
    /// Gets the turn of a request, unless it has succeeded or another turn has not ended. `fingerprints` are those of
    /// the request under all keys of the shop.
    pub(super) async fn claim(
        &self,
        new: &NewKey<'_>,
        fingerprints: &[[u8; TAG_BYTES]],
        now: Timestamp,
    ) -> Result<Claim, StoreError> {
        let key = new.document(now);
        for _ in 0..ATTEMPTS {
            match self.docs.insert_one(&key).await.map_err(StoreError::from) {
                Ok(_) => {
                    if let Err(error) = self.drop_oldest(new.account, now).await {
                        tracing::warn!(%error, "the oldest idempotency keys of an account are dropped later");
                    }
                    return Ok(Claim::Taken(key.turn()));
                }
                Err(StoreError::Duplicate) => {}
                Err(error) => return Err(error),
            }
            let Some(found) = self.docs.find_one(doc! { "_id": &key.id }).await? else { continue };
            if let Some(claim) = self.claim_found(found, new, fingerprints, now).await? {
                return Ok(claim);
            }
        }
        Ok(Claim::Running)
    }

    /// Tries to get the turn of a key that exists. Returns `None` if it has changed meanwhile.
    async fn claim_found(
        &self,
        found: KeyDoc,
        new: &NewKey<'_>,
        fingerprints: &[[u8; TAG_BYTES]],
        now: Timestamp,
    ) -> Result<Option<Claim>, StoreError> {
        if found.expires_at <= now {
            // The database removes expired documents with some delay.
            self.docs.delete_one(found.as_found()).await?;
            return Ok(None);
        }
        if !fingerprints.iter().any(|fingerprint| fingerprint[..] == found.fingerprint.bytes) {
            return Ok(Some(Claim::Foreign));
        }
        if found.is_done {
            return Ok(Some(Claim::Done(found.request)));
        }
        if found.running_until > now {
            return Ok(Some(Claim::Running));
        }
        let turn = Turn { holder: HolderId::new(), ..found.turn() };
        let take = doc! { "$set": { "holder": turn.holder, "running_until": new.running_until } };
        let taken = self.docs.update_one(found.as_found(), take).await?;
        Ok((taken.matched_count == 1).then_some(Claim::Taken(turn)))
    }

    /// Records that the request has succeeded, whoever has the turn now.
    pub(super) async fn finish(&self, turn: &Turn) -> Result<(), StoreError> {
        let same_request = doc! { "_id": &turn.document, "request": turn.request };
        self.docs.update_one(same_request, doc! { "$set": { "is_done": true } }).await?;
        Ok(())
    }

    /// Removes the key, unless the turn has passed to another.
    pub(super) async fn forget(&self, turn: &Turn) -> Result<(), StoreError> {
        self.docs.delete_one(turn.unless_lost()).await?;
        Ok(())
    }

    /// Ends the turn, unless it has passed to another.
    pub(super) async fn release(&self, turn: &Turn, now: Timestamp) -> Result<(), StoreError> {
        self.docs.update_one(turn.unless_lost(), doc! { "$set": { "running_until": now } }).await?;
        Ok(())
    }

    /// Removes all keys of an account in the transaction that deletes it.
    pub(crate) async fn delete_of_in(&self, tx: &mut ClientSession, account: UserId) -> mongodb::error::Result<()> {
        self.docs.delete_many(doc! { "account": account }).session(tx).await.map(drop)
    }

    /// Removes the oldest keys of an account that has too many. A key whose turn has not ended stays, so that a repeat
    /// of its request can't run beside it.
    async fn drop_oldest(&self, account: UserId, now: Timestamp) -> Result<(), StoreError> {
        let ids = self.docs.clone_with_type::<Document>();
        let surplus = ids.find(doc! { "account": account }).sort(doc! { "created_at": -1 }).skip(MOST_KEYS);
        let surplus: Vec<Document> = surplus.projection(doc! { "_id": 1 }).await?.try_collect().await?;
        if surplus.is_empty() {
            return Ok(());
        }
        let surplus: Vec<Bson> = surplus.into_iter().filter_map(|mut key| key.remove("_id")).collect();
        let has_ended = doc! { "$or": [{ "is_done": true }, { "running_until": { "$lte": now } }] };
        self.docs.delete_many(doc! { "$and": [{ "_id": { "$in": surplus } }, has_ended] }).await?;
        Ok(())
    }
}

impl NewKey<'_> {
    fn document(&self, now: Timestamp) -> KeyDoc {
        KeyDoc {
            id: format!("{}:{}", self.account, self.key),
            account: self.account,
            request: KeyedRequestId::new(),
            fingerprint: Binary { subtype: BinarySubtype::Generic, bytes: self.fingerprint.to_vec() },
            holder: HolderId::new(),
            running_until: self.running_until,
            is_done: false,
            created_at: now,
            expires_at: self.expires_at,
        }
    }
}

impl KeyDoc {
    fn turn(&self) -> Turn {
        Turn { request: self.request, document: self.id.clone(), holder: self.holder }
    }

    /// Returns a filter that matches the document only as it was found.
    fn as_found(&self) -> Document {
        doc! { "_id": &self.id, "holder": self.holder, "running_until": self.running_until, "is_done": self.is_done }
    }
}

impl Turn {
    fn unless_lost(&self) -> Document {
        doc! { "_id": &self.document, "holder": self.holder, "is_done": false }
    }
}
