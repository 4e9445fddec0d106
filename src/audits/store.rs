//! The collection `audits`: what happened that somebody may ask about later. Only ever appended to.

use std::time::Duration;

use bson::{Bson, Document, doc};
use futures_util::TryStreamExt;
use mongodb::{ClientSession, Collection};
use serde::{Deserialize, Serialize};

use crate::{
    db::{
        StoreError,
        query::{SEARCH_LIMIT, code_below, containing, count_all},
        schema::{Connection, Layout, StorePart, index, swept},
    },
    values::{
        author::Author,
        codes::FullCode,
        ids::{AuditId, InvalidId, SessionRef, UserId},
        time::Timestamp,
    },
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
    /// The id of the document it happened to.
    pub document_key: Document,
    /// The full code of the document, where it has one.
    pub code: Option<FullCode>,
    /// The document as the API names its fields: after the write, or before a deletion.
    pub full_document: Option<Document>,
    /// What changed, field by field.
    pub update_description: Option<Document>,
    /// Who did it; nobody, when the shop did it by itself.
    pub actor: Option<Actor>,
    /// The id of the request, as in the logs.
    pub request_id: Option<String>,
    /// When.
    pub timestamp: Timestamp,
    /// Until when it is kept.
    pub expires_at: Timestamp,
    /// What a search looks through, in lower case; never read.
    #[serde(skip_deserializing)]
    search: String,
}

/// Who did something.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Actor {
    /// The account.
    pub user_id: UserId,
    /// Its name at that time; empty once its owner has deleted the account.
    pub username: String,
}

/// What every entry of one act has in common.
#[derive(Debug, Clone)]
pub struct Trail {
    /// Who acts; `None` for the shop itself.
    pub author: Option<Author>,
    /// When.
    pub now: Timestamp,
    /// How long entries are kept.
    pub retention: Duration,
}

impl Trail {
    /// An entry about one document; what else it says is added to it.
    pub fn entry(&self, collection: &str, operation: &str, id: impl Into<Bson>) -> AuditDoc {
        let author = self.author.as_ref();
        AuditDoc {
            id: AuditId::new(),
            collection: collection.to_owned(),
            operation: operation.to_owned(),
            document_key: doc! { "_id": id },
            code: None,
            full_document: None,
            update_description: None,
            actor: author.map(|author| Actor { user_id: author.user_id, username: author.username.clone() }),
            request_id: author.map(|author| author.request_id.clone()),
            timestamp: self.now,
            expires_at: self.now.after(self.retention),
            search: String::new(),
        }
    }
}

impl AuditDoc {
    /// A session was ended, since an old token of it was used.
    pub fn session_stolen(session: SessionRef, trail: &Trail) -> Self {
        let removed = doc! { "removed": { "sessions": session.session } };
        trail.entry("users", "session_stolen", session.user).describing(removed)
    }

    /// With the id that the act itself has, so that doing it again leaves no second entry.
    pub fn identified(self, id: AuditId) -> Self {
        Self { id, ..self }
    }

    /// With the full code of the document.
    pub fn coded(self, code: &FullCode) -> Self {
        Self { code: Some(code.clone()), ..self }
    }

    /// With the document.
    pub fn holding(self, document: Document) -> Self {
        Self { full_document: Some(document), ..self }
    }

    /// With what changed.
    pub fn describing(self, changes: Document) -> Self {
        Self { update_description: Some(changes), ..self }
    }

    /// With the text that a search looks through: collection, operation, code, actor and the names of changed fields.
    fn searchable(mut self) -> Self {
        let mut words = vec![self.collection.clone(), self.operation.clone()];
        words.extend(self.code.iter().map(ToString::to_string));
        words.extend(self.actor.iter().flat_map(|actor| [actor.username.clone(), actor.user_id.to_string()]));
        words.extend(self.document_key.get_object_id("_id").map(|id| id.to_hex()));
        for (kind, fields) in self.update_description.iter().flatten() {
            match fields {
                Bson::Document(fields) => words.extend(fields.keys().cloned()),
                _ => words.push(kind.clone()),
            }
        }
        self.search = words.join("\n").to_lowercase();
        self
    }
}

/// The collection.
#[derive(Clone)]
pub struct Audits {
    docs: Collection<AuditDoc>,
}

impl StorePart for Audits {
    fn open(connection: &Connection) -> Self {
        Self { docs: connection.collection(NAME) }
    }

    fn layout() -> Option<Layout> {
        let newest = |field: &str| doc! { field: 1, "timestamp": -1, "_id": -1 };
        let indexes = vec![
            swept(Duration::ZERO),
            index("timestamp", doc! { "timestamp": -1, "_id": -1 }),
            index("code", newest("code")),
            index("actor_id", newest("actor.user_id")),
            index("actor_name", newest("actor.username")),
        ];
        Some(Layout { collection: NAME, indexes, validator: doc! {} })
    }
}

impl Audits {
    /// Appends an entry.
    pub(super) async fn append(&self, entry: AuditDoc) -> Result<(), StoreError> {
        self.docs.insert_one(entry.searchable()).await?;
        Ok(())
    }

    /// Appends an entry in the transaction of the write that it tells of.
    pub(crate) async fn append_in(&self, session: &mut ClientSession, entry: AuditDoc) -> mongodb::error::Result<()> {
        self.docs.insert_one(entry.searchable()).session(session).await?;
        Ok(())
    }

    /// Takes the name of a deleted account out of what it did; its id stays.
    pub(crate) async fn forget_name_in(&self, session: &mut ClientSession, user: UserId) -> mongodb::error::Result<()> {
        let words = doc! { "$split": ["$search", "\n"] };
        let at = doc! { "$indexOfArray": [words.clone(), user.to_string()] };
        // The name stands right before the id (`searchable`), which comes third at the earliest.
        let before = doc! { "$slice": [words.clone(), { "$subtract": [at.clone(), 1] }] };
        let rest = doc! { "$slice": [words, at, i32::MAX] };
        let join = doc! { "$reduce": { "input": { "$concatArrays": [before, rest] }, "initialValue": "", "in": { "$cond": [
            { "$eq": ["$$value", ""] }, "$$this", { "$concat": ["$$value", "\n", "$$this"] },
        ] } } };
        let update = vec![doc! { "$set": { "actor.username": "", "search": join } }];
        let named = doc! { "actor.user_id": user, "actor.username": { "$ne": "" } };
        self.docs.update_many(named, update).session(session).await?;
        Ok(())
    }

    /// Appends many entries in the transaction of the writes that they tell of.
    pub(crate) async fn append_all_in(
        &self,
        session: &mut ClientSession,
        entries: Vec<AuditDoc>,
    ) -> mongodb::error::Result<()> {
        if !entries.is_empty() {
            self.docs.insert_many(entries.into_iter().map(AuditDoc::searchable)).session(session).await?;
        }
        Ok(())
    }

    /// Up to `limit` entries after one place.
    pub(super) async fn page(
        &self,
        wanted: &AuditQuery,
        after: Option<AuditPlace>,
        limit: i64,
    ) -> Result<Vec<AuditDoc>, StoreError> {
        let mut filter = wanted.filter();
        let (order, beyond) = if wanted.oldest_first { (1, "$gt") } else { (-1, "$lt") };
        if let Some(AuditPlace { timestamp, id }) = after {
            let later =
                [doc! { "timestamp": { beyond: timestamp } }, doc! { "timestamp": timestamp, "_id": { beyond: id } }];
            filter = doc! { "$and": [filter, { "$or": later.to_vec() }] };
        }
        let found = self.docs.find(filter).sort(doc! { "timestamp": order, "_id": order }).limit(limit);
        let found = found.projection(doc! { "search": 0 });
        Ok(found.max_time(SEARCH_LIMIT).await?.try_collect().await?)
    }

    /// How many entries there are.
    pub(super) async fn count(&self, wanted: &AuditQuery) -> Result<u64, StoreError> {
        let filter = wanted.filter();
        if filter.is_empty() {
            return count_all(&self.docs).await;
        }
        Ok(self.docs.count_documents(filter).max_time(SEARCH_LIMIT).await?)
    }
}

/// Which entries are wanted.
#[derive(Debug, Clone, Default)]
pub struct AuditQuery {
    /// Not before.
    pub from: Option<Timestamp>,
    /// Not after.
    pub to: Option<Timestamp>,
    /// Whose, by id or name.
    pub actor: Option<String>,
    /// About the document with this full code, or one below it.
    pub code: Option<FullCode>,
    /// Containing this text, whatever the case.
    pub text: Option<String>,
    /// In place of the newest first.
    pub oldest_first: bool,
}

/// Where a page of entries ended.
#[derive(Debug, Clone, Copy)]
pub struct AuditPlace {
    timestamp: Timestamp,
    id: AuditId,
}

impl AuditQuery {
    fn filter(&self) -> Document {
        let mut parts = Vec::new();
        if let Some(from) = self.from {
            parts.push(doc! { "timestamp": { "$gte": from } });
        }
        if let Some(to) = self.to {
            parts.push(doc! { "timestamp": { "$lte": to } });
        }
        if let Some(actor) = &self.actor {
            let by_id = actor.parse::<UserId>().map(|id| doc! { "actor.user_id": id });
            parts.push(by_id.unwrap_or_else(|_| doc! { "actor.username": actor }));
        }
        if let Some(code) = &self.code {
            parts.push(doc! { "$or": [{ "code": code }, code_below(code)] });
        }
        if let Some(text) = &self.text {
            parts.push(doc! { "search": containing(&text.to_lowercase()) });
        }
        if parts.is_empty() {
            doc! {}
        } else {
            doc! { "$and": parts }
        }
    }
}

impl TryFrom<Vec<u8>> for AuditPlace {
    type Error = InvalidId;

    fn try_from(bytes: Vec<u8>) -> Result<Self, InvalidId> {
        let (millis, id) = bytes.split_first_chunk::<8>().ok_or(InvalidId)?;
        let timestamp = Timestamp::from_millis(i64::from_be_bytes(*millis));
        Ok(Self { timestamp, id: id.to_vec().try_into()? })
    }
}

impl AuditDoc {
    /// Where it stands among the others, as bytes.
    pub fn place(&self) -> [u8; 20] {
        let mut bytes = [0; 20];
        bytes[..8].copy_from_slice(&self.timestamp.millis().to_be_bytes());
        bytes[8..].copy_from_slice(&self.id.bytes());
        bytes
    }
}
