//! Reading the audits: what a reader asks for, and the queries that follow from it.

use bson::{Document, doc};
use futures_util::TryStreamExt;

use super::{AuditDoc, Audits};
use crate::{
    audits::{operation::AuditOperation, subject::AuditSubject},
    db::{
        StoreError,
        query::{SEARCH_LIMIT, all_of, containing, count_some},
    },
    values::{
        codes::FullCode,
        ids::{AuditId, DocumentId, InvalidId, UserId},
        paging::Total,
        time::Timestamp,
    },
};

/// The conditions that entries must meet, and their order. A condition that is `None` is met by all entries.
#[derive(Debug, Clone, Default)]
pub struct AuditQuery {
    /// The earliest time.
    pub from: Option<Timestamp>,
    /// The latest time.
    pub to: Option<Timestamp>,
    /// Who acted.
    pub actor: Option<AuditActor>,
    /// Full code of the document, or of one of the entries above it in the catalogue.
    pub code: Option<FullCode>,
    /// What the document is.
    pub subject: Option<AuditSubject>,
    /// What happened, such as `insert`.
    pub operation: Option<AuditOperation>,
    /// Id of the document.
    pub document: Option<DocumentId>,
    /// A text, in upper or lower case, that occurs in the entry's collection, operation, code, actor, document id or
    /// names of changed fields.
    pub text: Option<String>,
    /// Whether the oldest entries come first instead of the newest.
    pub oldest_first: bool,
}

/// Whose entries are wanted: those of one of the accounts, and those whose actor had the name.
#[derive(Debug, Clone)]
pub struct AuditActor {
    /// The accounts.
    pub accounts: Vec<UserId>,
    /// The name at the time of the entry, exactly as it was.
    pub name: Option<String>,
}

/// The place in the order of entries at which a page ended.
#[derive(Debug, Clone, Copy)]
pub struct AuditPlace {
    timestamp: Timestamp,
    id: AuditId,
}

impl Audits {
    /// Finds up to `limit` entries that `wanted` matches, starting after the place `after`; `None` starts with the
    /// first entry. Fails with [`StoreError::OutOfTime`] after [`SEARCH_LIMIT`].
    pub(in crate::audits) async fn page(
        &self,
        wanted: &AuditQuery,
        after: Option<AuditPlace>,
        limit: i64,
    ) -> Result<Vec<AuditDoc>, StoreError> {
        let mut conditions = wanted.conditions();
        let order = if wanted.oldest_first { 1 } else { -1 };
        conditions.extend(after.into_iter().flat_map(|place| place.conditions(wanted.oldest_first)));
        let query = self.docs.find(all_of(conditions)).sort(doc! { "timestamp": order, "_id": order }).limit(limit);
        let fields = doc! { "search": 0, "codes": 0 };
        Ok(query.projection(fields).max_time(SEARCH_LIMIT).await?.try_collect().await?)
    }

    /// Counts the entries that `wanted` matches. Fails with [`StoreError::OutOfTime`] after [`SEARCH_LIMIT`].
    pub(in crate::audits) async fn count(&self, wanted: &AuditQuery) -> Result<Total, StoreError> {
        count_some(&self.docs, all_of(wanted.conditions())).await
    }
}

impl AuditQuery {
    fn conditions(&self) -> Vec<Document> {
        let conditions = [
            self.from.map(|from| doc! { "timestamp": { "$gte": from } }),
            self.to.map(|to| doc! { "timestamp": { "$lte": to } }),
            self.actor.as_ref().map(AuditActor::condition),
            self.code.as_ref().map(|code| doc! { "codes": code }),
            self.subject.map(|subject| doc! { "collection": subject.name() }),
            self.operation.map(|operation| doc! { "operation": operation.name() }),
            self.document.map(|document| doc! { "document_key._id": document }),
            self.text.as_ref().map(|text| doc! { "search": containing(&text.to_lowercase()) }),
        ];
        conditions.into_iter().flatten().collect()
    }
}

impl AuditActor {
    fn condition(&self) -> Document {
        let by_id = self.accounts.iter().map(|id| doc! { "actor.user_id": id });
        let by_name = self.name.iter().map(|name| doc! { "actor.username": name });
        // Each alternative has an index in the order of the entries, so that the database need not sort.
        doc! { "$or": by_id.chain(by_name).collect::<Vec<_>>() }
    }
}

impl AuditPlace {
    /// Returns the conditions for entries after this place. The first one alone lets the database begin in the middle
    /// of any index.
    fn conditions(self, oldest_first: bool) -> [Document; 2] {
        let (beyond, from) = if oldest_first { ("$gt", "$gte") } else { ("$lt", "$lte") };
        let at_or_after = doc! { "timestamp": { from: self.timestamp } };
        let is_later = doc! { "timestamp": { beyond: self.timestamp } };
        [at_or_after, doc! { "$or": [is_later, { "_id": { beyond: self.id } }] }]
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
