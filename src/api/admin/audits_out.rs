//! The entries of the audits as the dashboard shows them.

use bson::{Bson, Document};
use poem_openapi::{
    Object,
    types::{Any, Example},
};
use serde_json::{Value, json};

use crate::{
    api::examples,
    audits::{Actor, AuditDoc},
    values::{
        ids::{AuditId, UserId},
        paging::Total,
        time::Timestamp,
    },
};

/// A page of the audits.
#[derive(Debug, Object)]
#[oai(rename = "Audits", example)]
pub(super) struct AuditsOut {
    /// Number of entries on this page.
    count: usize,
    /// Number of entries on all pages together, at most 10,000.
    total: u64,
    /// Whether there are more than 10,000 entries.
    total_is_capped: bool,
    logs: Vec<AuditOut>,
    next_cursor: Option<String>,
}

/// An entry of the audits: one event and who caused it.
#[derive(Debug, Object)]
#[oai(rename = "Audit", example)]
struct AuditOut {
    #[oai(rename = "_id")]
    id: AuditId,
    /// Collection of the document to which it happened.
    collection: String,
    /// `insert`, `update`, `delete`, `logout`, `unlock`, `stock_redistribution`, `session_stolen`, `invitation_used`, …
    operation: String,
    document_key: Any<Value>,
    /// Full code of the document; null if it has none.
    code: Option<String>,
    /// The document after the write, or before a deletion.
    full_document: Any<Value>,
    /// For an update: `updatedFields`, `removedFields`, and the earlier values as `before`.
    update_description: Any<Value>,
    /// The account that caused the event; null if the server did it by itself.
    actor: Option<ActorOut>,
    /// Id of the request. The logs contain the same id.
    request_id: Option<String>,
    timestamp: Timestamp,
}

/// The account that caused an event.
#[derive(Debug, Object)]
#[oai(rename = "Actor")]
struct ActorOut {
    user_id: UserId,
    /// Username at the time of the event. Empty after the owner has deleted the account.
    username: String,
}

impl AuditsOut {
    pub(super) fn new(logs: Vec<AuditDoc>, total: Total, next_cursor: Option<String>) -> Self {
        let logs: Vec<AuditOut> = logs.into_iter().map(AuditOut::from).collect();
        let Total { entries, is_capped } = total;
        Self { count: logs.len(), total: entries, total_is_capped: is_capped, logs, next_cursor }
    }
}

impl From<Actor> for ActorOut {
    fn from(actor: Actor) -> Self {
        Self { user_id: actor.user_id, username: actor.username }
    }
}

impl From<AuditDoc> for AuditOut {
    fn from(entry: AuditDoc) -> Self {
        let shown = |document: Option<Document>| Any(document.map_or(Value::Null, |document| json_of(document.into())));
        Self {
            id: entry.id,
            collection: entry.collection,
            operation: entry.operation,
            document_key: shown(Some(entry.document_key)),
            code: entry.code.map(|code| code.to_string()),
            full_document: shown(entry.full_document),
            update_description: shown(entry.update_description),
            actor: entry.actor.map(ActorOut::from),
            request_id: entry.request_id,
            timestamp: entry.timestamp,
        }
    }
}

/// Converts a stored value into JSON as the API writes it everywhere: ids as 24 hex digits, dates as RFC 3339.
fn json_of(value: Bson) -> Value {
    match value {
        Bson::ObjectId(id) => id.to_hex().into(),
        Bson::DateTime(at) => Timestamp::from_millis(at.timestamp_millis()).to_string().into(),
        Bson::Document(fields) => fields.into_iter().map(|(name, value)| (name, json_of(value))).collect(),
        Bson::Array(items) => items.into_iter().map(json_of).collect(),
        Bson::String(text) => text.into(),
        Bson::Boolean(flag) => flag.into(),
        Bson::Int32(number) => number.into(),
        Bson::Int64(number) => number.into(),
        Bson::Double(number) => number.into(),
        // Entries of the audits never contain values of other types.
        _ => Value::Null,
    }
}

impl Example for AuditOut {
    fn example() -> Self {
        let changes = json!({ "updatedFields": { "price": 2299.5 }, "removedFields": [], "before": { "price": 2499 } });
        Self {
            id: AuditId::from([0x67; 12]),
            collection: "products".to_owned(),
            operation: "update".to_owned(),
            document_key: Any(json!({ "_id": "646464646464646464646464" })),
            code: Some("TATA-NEXON-BRK-PADF".to_owned()),
            full_document: Any(json!({ "product_code": "PADF", "price": 2299.5 })),
            update_description: Any(changes),
            actor: Some(ActorOut { user_id: UserId::from([0x65; 12]), username: "asha".to_owned() }),
            request_id: Some(examples::REQUEST_ID.to_owned()),
            timestamp: examples::NOW,
        }
    }
}

impl Example for AuditsOut {
    fn example() -> Self {
        let logs = vec![AuditOut::example()];
        Self { count: 1, total: 1, total_is_capped: false, logs, next_cursor: None }
    }
}
