//! `/api/admin/audits/`: the record of what happened in the shop and who did it.

use std::sync::Arc;

use poem_openapi::{OpenApi, payload::Json};

use super::{audits_asked::AskedAudits, audits_out::AuditsOut};
use crate::{
    api::{Group, access::Staff, error::ApiResult, filters::Text, paging::next_cursor},
    app::App,
    audits::{self, AuditDoc},
    db::StoreError,
};

/// Handlers of `/api/admin/audits/`.
pub struct AuditsApi(pub Arc<App>);

#[OpenApi(prefix_path = "/api/admin", tag = "Group::Admin")]
impl AuditsApi {
    /// Lists the audits
    ///
    /// The newest come first. Entries must meet all conditions that are given. In entries about accounts and
    /// invitations staff see personal data masked.
    #[oai(path = "/audits", method = "get", operation_id = "listAudits")]
    #[allow(clippy::too_many_arguments, reason = "each is a parameter of the query")]
    async fn list(
        &self,
        staff: Staff,
        /// Entries per page: 1 to 100; 20 if left out.
        limit: Text,
        /// The `next_cursor` of the previous page.
        cursor: Text,
        /// Only entries at or after this time: RFC 3339, Unix seconds, or a date (YYYY-MM-DD), which begins at midnight
        /// UTC.
        from: Text,
        /// Only entries at or before this time: RFC 3339, Unix seconds, or a date, which counts to its end in UTC.
        to: Text,
        /// Only entries of this account: its id, its username in any case, or its username at the time of the entry.
        actor: Text,
        /// Only entries about the catalogue entry with this full code, in any case, and about everything below it.
        code: Text,
        /// Only entries about documents of this collection, such as `products`.
        collection: Text,
        /// Only entries about this operation, such as `insert`; any other word than those of the shop is 400.
        operation: Text,
        /// Only entries about the document with this id.
        document: Text,
        /// Plain text of at most 100 characters, in any case, that occurs in the entry, as in the search.
        q: Text,
        /// `-timestamp` (the newest first) or `timestamp` (the oldest first); `-timestamp` if left out.
        sort: Text,
    ) -> ApiResult<Json<AuditsOut>, StoreError> {
        let asked = AskedAudits { limit, cursor, from, to, actor, code, collection, operation, document, q, sort };
        self.answer(&staff, asked, false).await
    }

    /// Searches the audits
    ///
    /// Finds entries with `q` in their collection, operation, code, document id, actor or names of changed fields,
    /// among those that meet all other conditions that are given. In entries about accounts and invitations staff see
    /// personal data masked.
    #[oai(path = "/audits/search", method = "get", operation_id = "searchAudits")]
    #[allow(clippy::too_many_arguments, reason = "each is a parameter of the query")]
    async fn search(
        &self,
        staff: Staff,
        /// Entries per page: 1 to 100; 20 if left out.
        limit: Text,
        /// The `next_cursor` of the previous page.
        cursor: Text,
        /// Only entries at or after this time: RFC 3339, Unix seconds, or a date (YYYY-MM-DD), which begins at midnight
        /// UTC.
        from: Text,
        /// Only entries at or before this time: RFC 3339, Unix seconds, or a date, which counts to its end in UTC.
        to: Text,
        /// Only entries of this account: its id, its username in any case, or its username at the time of the entry.
        actor: Text,
        /// Only entries about the catalogue entry with this full code, in any case, and about everything below it.
        code: Text,
        /// Only entries about documents of this collection, such as `products`.
        collection: Text,
        /// Only entries about this operation, such as `insert`; any other word than those of the shop is 400.
        operation: Text,
        /// Only entries about the document with this id.
        document: Text,
        /// Plain text of 1 to 100 characters, in any case.
        q: Text,
        /// `-timestamp` (the newest first) or `timestamp` (the oldest first); `-timestamp` if left out.
        sort: Text,
    ) -> ApiResult<Json<AuditsOut>, StoreError> {
        let asked = AskedAudits { limit, cursor, from, to, actor, code, collection, operation, document, q, sort };
        self.answer(&staff, asked, true).await
    }
}

impl AuditsApi {
    async fn answer(
        &self,
        staff: &Staff,
        asked: AskedAudits,
        must_search: bool,
    ) -> ApiResult<Json<AuditsOut>, StoreError> {
        let (wanted, slice) = asked.check(&self.0, must_search).await?;
        let (page, total) = audits::read(&self.0, staff.role, &wanted, slice).await?;
        let next_cursor = next_cursor(&self.0, AskedAudits::list(&wanted), &page, AuditDoc::place);
        Ok(Json(AuditsOut::new(page.items, total, next_cursor)))
    }
}
