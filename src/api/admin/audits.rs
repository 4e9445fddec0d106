//! `/api/admin/audits/`: the record of what happened in the shop and who did it.

use std::sync::Arc;

use bson::{Bson, Document};
use poem_openapi::{
    Object, OpenApi,
    param::Query,
    payload::Json,
    types::{Any, Example},
};
use serde_json::{Value, json};

use crate::{
    api::examples,
    api::{
        Group,
        access::Staff,
        error::{ApiError, ApiResult},
        paging::{next_cursor, slice},
    },
    app::App,
    audits::{self, Actor, AuditDoc, AuditQuery},
    db::StoreError,
    values::{
        codes::FullCode,
        ids::{AuditId, UserId},
        invalid::InvalidField,
        time::Timestamp,
    },
};

/// Handlers of `/api/admin/audits/`.
pub struct AuditsApi(pub Arc<App>);

type Text = Query<Option<String>>;

#[OpenApi(prefix_path = "/api/admin", tag = "Group::Admin")]
impl AuditsApi {
    /// Lists the audits, the newest first
    ///
    /// In entries about accounts and invitations staff see personal data masked.
    #[oai(path = "/audits", method = "get", operation_id = "listAudits")]
    #[allow(clippy::too_many_arguments, reason = "each is a parameter of the query")]
    async fn list(
        &self,
        staff: Staff,
        /// Entries per page: 1 to 100; 20 if left out.
        limit: Text,
        /// The `next_cursor` of the previous page.
        cursor: Text,
        /// Only entries at or after this time: RFC 3339 or Unix seconds.
        from: Text,
        /// Only entries at or before this time: RFC 3339 or Unix seconds.
        to: Text,
        /// Only entries of this account: its id, or its username at the time of the entry.
        actor: Text,
        /// Only entries about the catalogue entry with this full code, in any case, and about everything below it.
        code: Text,
    ) -> ApiResult<Json<AuditsOut>, StoreError> {
        let wanted = AuditQuery {
            from: instant("from", from.0)?,
            to: instant("to", to.0)?,
            actor: actor.0.filter(|text| !text.is_empty()),
            code: code.0.filter(|text| !text.trim().is_empty()).map(|code| FullCode::read(code.trim())),
            ..AuditQuery::default()
        };
        self.answer(&staff, &wanted, "audits", limit, cursor).await
    }

    /// Searches the audits
    ///
    /// Finds entries with `q` in their collection, operation, code, document id, actor or names of changed fields. In
    /// entries about accounts and invitations staff see personal data masked.
    #[oai(path = "/audits/search", method = "get", operation_id = "searchAudits")]
    async fn search(
        &self,
        staff: Staff,
        /// Plain text of 1 to 100 characters, in any case.
        q: Text,
        /// `-timestamp` (the newest first) or `timestamp` (the oldest first); `-timestamp` if left out.
        sort: Text,
        /// Entries per page: 1 to 100; 20 if left out.
        limit: Text,
        /// The `next_cursor` of the previous page.
        cursor: Text,
    ) -> ApiResult<Json<AuditsOut>, StoreError> {
        let oldest_first = match sort.0.as_deref() {
            None | Some("" | "-timestamp") => false,
            Some("timestamp") => true,
            Some(_) => return Err(invalid("sort", "sort must be timestamp or -timestamp").into()),
        };
        let wanted = AuditQuery { text: Some(query(q)?), oldest_first, ..AuditQuery::default() };
        let list = if oldest_first { "audits, oldest first" } else { "audits" };
        self.answer(&staff, &wanted, list, limit, cursor).await
    }
}

impl AuditsApi {
    async fn answer(
        &self,
        staff: &Staff,
        wanted: &AuditQuery,
        list: &str,
        limit: Text,
        cursor: Text,
    ) -> ApiResult<Json<AuditsOut>, StoreError> {
        let slice = slice(&self.0, list, limit.0, cursor.0).map_err(ApiError::from)?;
        let (page, total) = audits::read(&self.0, staff.role, wanted, slice).await?;
        let next_cursor = next_cursor(&self.0, list, &page, AuditDoc::place);
        let logs: Vec<AuditOut> = page.items.into_iter().map(AuditOut::from).collect();
        Ok(Json(AuditsOut { count: logs.len(), total, logs, next_cursor }))
    }
}

fn instant(name: &'static str, text: Option<String>) -> Result<Option<Timestamp>, ApiError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| invalid(name, &format!("{name} must be RFC 3339 or Unix seconds")))
}

fn query(q: Text) -> Result<String, ApiError> {
    let text = q.0.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let text = text.ok_or_else(|| invalid("q", "missing required query parameter: q"))?;
    if text.chars().count() > 100 { Err(invalid("q", "q must be 1 to 100 characters")) } else { Ok(text) }
}

fn invalid(field: &'static str, text: &str) -> ApiError {
    InvalidField { field: field.into(), text: text.to_owned() }.into()
}

/// A page of the audits.
#[derive(Debug, Object)]
#[oai(rename = "Audits", example)]
struct AuditsOut {
    /// Number of entries on this page.
    count: usize,
    /// Number of entries on all pages together.
    total: u64,
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
        Self { count: 1, total: 1, logs: vec![AuditOut::example()], next_cursor: None }
    }
}
