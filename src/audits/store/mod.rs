//! The collection `audits`: events about which somebody may ask later. Entries are added, and removed when they expire.
//! The only change to an entry is that the name of its actor is removed when the actor's account is deleted.

mod reading;

use std::time::Duration;

use bson::{Bson, Document, doc};
use mongodb::{ClientSession, Collection};
use serde::{Deserialize, Serialize};

pub use self::reading::{AuditActor, AuditPlace, AuditQuery};
use super::{operation::AuditOperation, subject::AuditSubject};
use crate::{
    db::{
        StoreError,
        query::find_part,
        schema::{Connection, Layout, StorePart, index, swept},
    },
    values::{
        author::Author,
        codes::FullCode,
        ids::{AuditId, SessionRef, UserId},
        time::Timestamp,
    },
};

const NAME: &str = "audits";

/// One entry of the audits. It never contains secrets such as passwords or tokens.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AuditDoc {
    /// Id of the entry.
    #[serde(rename = "_id")]
    pub id: AuditId,
    /// Name of the collection whose document was changed.
    pub collection: String,
    /// What happened, such as `insert` or `session_stolen`.
    pub operation: String,
    /// Id of the changed document, in the form `{ _id: … }`.
    pub document_key: Document,
    /// Full code of the document, if it has one.
    pub code: Option<FullCode>,
    /// The full code, and those of the entries above it in the catalogue; empty without a code. Queries match them but
    /// don't return them.
    #[serde(skip_deserializing)]
    codes: Vec<FullCode>,
    /// The document after the write, or before a deletion. Its fields have the names of the API.
    pub full_document: Option<Document>,
    /// The changes, field by field.
    pub update_description: Option<Document>,
    /// Who made the change; `None` if the shop made it by itself.
    pub actor: Option<Actor>,
    /// Id of the request, which the logs show too.
    pub request_id: Option<String>,
    /// Time of the change.
    pub timestamp: Timestamp,
    /// Time at which the entry is removed.
    pub expires_at: Timestamp,
    /// The text that a search by text looks through, in lower case. Queries match it but don't return it.
    #[serde(skip_deserializing)]
    search: String,
}

/// The account that made a change.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Actor {
    /// Id of the account.
    pub user_id: UserId,
    /// Name of the account at the time of the change; empty once the account is deleted.
    pub username: String,
}

/// The facts that all entries about one action have in common.
#[derive(Debug, Clone)]
pub struct Trail {
    /// Who acts; `None` if the shop acts by itself.
    pub author: Option<Author>,
    /// Time of the action.
    pub now: Timestamp,
    /// How long entries are kept.
    pub retention: Duration,
}

impl Trail {
    /// Creates an entry about one document. The methods of [`AuditDoc`] add further facts to it.
    pub fn entry(&self, subject: AuditSubject, operation: AuditOperation, id: impl Into<Bson>) -> AuditDoc {
        let author = self.author.as_ref();
        AuditDoc {
            id: AuditId::new(),
            collection: subject.name().to_owned(),
            operation: operation.name().to_owned(),
            document_key: doc! { "_id": id },
            code: None,
            codes: Vec::new(),
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
    /// Creates an entry that says that a session was ended because an old token of it was used.
    pub fn session_stolen(session: SessionRef, trail: &Trail) -> Self {
        let removed = doc! { "removed": { "sessions": session.session } };
        trail.entry(AuditSubject::Users, AuditOperation::SessionStolen, session.user).with_changes(removed)
    }

    /// Sets the entry's id to that of the action itself. If the action is repeated, the second entry is refused.
    pub fn with_id(self, id: AuditId) -> Self {
        Self { id, ..self }
    }

    /// Adds the full code of the document.
    pub fn with_code(self, code: &FullCode) -> Self {
        let codes = code.parents().chain([code.clone()]).collect();
        Self { code: Some(code.clone()), codes, ..self }
    }

    /// Adds the document.
    pub fn with_document(self, document: Document) -> Self {
        Self { full_document: Some(document), ..self }
    }

    /// Adds the changes.
    pub fn with_changes(self, changes: Document) -> Self {
        Self { update_description: Some(changes), ..self }
    }

    /// Returns the entry's place in the order of entries as bytes, for a cursor: its time in milliseconds, big-endian,
    /// and its id. [`AuditPlace`] is read from the same bytes.
    pub fn place(&self) -> [u8; 20] {
        let mut bytes = [0; 20];
        bytes[..8].copy_from_slice(&self.timestamp.millis().to_be_bytes());
        bytes[8..].copy_from_slice(&self.id.bytes());
        bytes
    }

    /// Adds the text that a search looks through. It has one line each for the collection, the operation, the code, the
    /// actor's name, the actor's id, the document's id, and the names of the changed fields.
    fn with_search_text(mut self) -> Self {
        let mut lines = vec![self.collection.clone(), self.operation.clone()];
        lines.extend(self.code.iter().map(ToString::to_string));
        lines.extend(self.actor.iter().flat_map(|actor| [actor.username.clone(), actor.user_id.to_string()]));
        lines.extend(self.document_key.get_object_id("_id").map(|id| id.to_hex()));
        for (name, value) in self.update_description.iter().flatten() {
            match value {
                Bson::Document(fields) => lines.extend(fields.keys().cloned()),
                _ => lines.push(name.clone()),
            }
        }
        self.search = lines.join("\n").to_lowercase();
        self
    }
}

/// The collection `audits`.
#[derive(Clone)]
pub struct Audits {
    docs: Collection<AuditDoc>,
}

impl StorePart for Audits {
    fn open(connection: &Connection) -> Self {
        Self { docs: connection.collection(NAME) }
    }

    fn layout() -> Option<Layout> {
        let newest_first = |field: &str| doc! { field: 1, "timestamp": -1, "_id": -1 };
        let indexes = vec![
            swept(Duration::ZERO),
            index("timestamp", doc! { "timestamp": -1, "_id": -1 }),
            index("codes", newest_first("codes")),
            index("actor_id", newest_first("actor.user_id")),
            index("actor_name", newest_first("actor.username")),
            index("collection", newest_first("collection")),
            index("operation", newest_first("operation")),
            index("document", newest_first("document_key._id")),
        ];
        Some(Layout { collection: NAME, indexes, validator: doc! {} })
    }

    /// Adds the codes to entries of older versions.
    async fn complete(&self) -> Result<(), StoreError> {
        let lacks_codes = doc! { "codes": { "$exists": false } };
        // An update would be a write even if it found nothing.
        if find_part::<_, Document>(&self.docs, lacks_codes.clone(), doc! { "_id": 1 }).await?.is_none() {
            return Ok(());
        }
        self.docs.update_many(lacks_codes, vec![doc! { "$set": { "codes": codes_of_code() } }]).await?;
        Ok(())
    }
}

/// Returns an expression for `codes`, made from `code`: the first part, the first two and the first three parts, as far
/// as there are so many, and the whole. Further parts belong to the code of a product.
fn codes_of_code() -> Document {
    let parts = doc! { "$split": ["$code", "-"] };
    let is_above = |count: i32| doc! { "$gt": [{ "$size": parts.clone() }, count] };
    let first = |count: i32| {
        doc! { "$reduce": { "input": { "$slice": [parts.clone(), 1, count] }, "initialValue": { "$first": parts.clone() },
        "in": { "$concat": ["$$value", "-", "$$this"] } } }
    };
    let brand = doc! { "$cond": [is_above(1), [{ "$first": parts.clone() }], []] };
    let model = doc! { "$cond": [is_above(2), [first(1)], []] };
    let category = doc! { "$cond": [is_above(3), [first(2)], []] };
    let all = doc! { "$concatArrays": [brand, model, category, ["$code"]] };
    doc! { "$cond": [{ "$eq": [{ "$type": "$code" }, "string"] }, all, []] }
}

impl Audits {
    /// Adds an entry.
    pub(super) async fn append(&self, entry: AuditDoc) -> Result<(), StoreError> {
        self.docs.insert_one(entry.with_search_text()).await?;
        Ok(())
    }

    /// Adds an entry in the transaction that makes the change.
    pub(crate) async fn append_in(&self, session: &mut ClientSession, entry: AuditDoc) -> mongodb::error::Result<()> {
        self.docs.insert_one(entry.with_search_text()).session(session).await?;
        Ok(())
    }

    /// Removes the name of a deleted account from the entries about its actions, also from their text for searches. The
    /// account's id stays.
    pub(crate) async fn forget_name_in(&self, session: &mut ClientSession, user: UserId) -> mongodb::error::Result<()> {
        let lines = doc! { "$split": ["$search", "\n"] };
        let id_index = doc! { "$indexOfArray": [lines.clone(), user.to_string()] };
        // In the text for searches, the name is the line before the id (see `with_search_text`). At least the
        // collection and the operation come before the name, so the first `$slice` always gets a positive count.
        let before = doc! { "$slice": [lines.clone(), { "$subtract": [id_index.clone(), 1] }] };
        let rest = doc! { "$slice": [lines, id_index, i32::MAX] };
        let join = doc! { "$reduce": { "input": { "$concatArrays": [before, rest] }, "initialValue": "", "in": { "$cond": [
            { "$eq": ["$$value", ""] }, "$$this", { "$concat": ["$$value", "\n", "$$this"] },
        ] } } };
        let update = vec![doc! { "$set": { "actor.username": "", "search": join } }];
        let has_name = doc! { "actor.user_id": user, "actor.username": { "$ne": "" } };
        self.docs.update_many(has_name, update).session(session).await?;
        Ok(())
    }

    /// Adds many entries in the transaction that makes the changes. Does nothing if there are none.
    pub(crate) async fn append_all_in(
        &self,
        session: &mut ClientSession,
        entries: Vec<AuditDoc>,
    ) -> mongodb::error::Result<()> {
        if !entries.is_empty() {
            self.docs.insert_many(entries.into_iter().map(AuditDoc::with_search_text)).session(session).await?;
        }
        Ok(())
    }
}
