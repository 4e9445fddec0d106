//! Which entries of the audits a caller asks for.

use crate::{
    accounts::administration,
    api::{
        error::ApiError,
        filters::{ListParameters, Text},
        paging::{entries, place},
    },
    app::App,
    audits::{AuditActor, AuditPlace, AuditQuery, operation::AuditOperation, subject::AuditSubject},
    db::StoreError,
    values::{codes::FullCode, invalid::InvalidField, paging::Slice, text::is_longer_than_names, time::Timestamp},
};

/// The query parameters of the audits, as they were sent.
pub(super) struct AskedAudits {
    pub(super) limit: Text,
    pub(super) cursor: Text,
    pub(super) from: Text,
    pub(super) to: Text,
    pub(super) actor: Text,
    pub(super) code: Text,
    pub(super) collection: Text,
    pub(super) operation: Text,
    pub(super) document: Text,
    pub(super) q: Text,
    pub(super) sort: Text,
}

impl AskedAudits {
    /// Checks the parameters, and looks the actor up. `must_search` says whether there must be a text to search for.
    pub(super) async fn check(self, app: &App, must_search: bool) -> Result<(AuditQuery, Slice<AuditPlace>), ApiError> {
        let mut faults = ListParameters::default();
        let subjects = format!("one of {}", AuditSubject::NAMES.join(", "));
        let limit = faults.keep(entries(self.limit.0));
        let from = faults.time("from", self.from, Timestamp::parse_from_query);
        let to = faults.time("to", self.to, Timestamp::parse_to_query);
        faults.keep(check_range(from, to));
        let actor = faults.read("actor", self.actor, "an id or a username", name);
        let code = faults.read("code", self.code, "a full code such as TATA-NEXON-BRK-PADF", full_code);
        let subject = faults.read("collection", self.collection, &subjects, AuditSubject::named);
        let operations = format!("one of {}", AuditOperation::NAMES.join(", "));
        let operation = faults.read("operation", self.operation, &operations, AuditOperation::named);
        let document = faults.read("document", self.document, "an id of 24 hex digits", |id| id.parse().ok());
        let text = if must_search { faults.required_search_text(self.q) } else { faults.search_text(self.q) };
        let oldest_first = faults.read("sort", self.sort, "timestamp or -timestamp", is_oldest_first);
        let oldest_first = oldest_first.unwrap_or_default();
        let mut wanted = AuditQuery { from, to, actor: None, code, subject, operation, document, text, oldest_first };
        let after = faults.keep(place(app, Self::list(&wanted), self.cursor.0).transpose());
        faults.check()?;
        if let Some(text) = actor {
            wanted.actor = Some(find_actor(app, text).await?);
        }
        Ok((wanted, Slice { limit: limit.unwrap_or_default(), after: after.flatten() }))
    }

    /// Returns the name of the list, for its cursors.
    pub(super) fn list(wanted: &AuditQuery) -> &'static str {
        if wanted.oldest_first { "audits, oldest first" } else { "audits" }
    }
}

fn name(text: &str) -> Option<String> {
    (!is_longer_than_names(text) && !text.contains(char::is_control)).then(|| text.to_owned())
}

fn full_code(text: &str) -> Option<FullCode> {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte)).then(|| FullCode::read(text))
}

/// Fails if a range of times is empty, since such a list would always be empty.
fn check_range(from: Option<Timestamp>, to: Option<Timestamp>) -> Result<(), InvalidField> {
    match from.zip(to) {
        Some((from, to)) if from > to => {
            Err(InvalidField { field: "from".into(), text: "from must not be after to".to_owned() })
        }
        _ => Ok(()),
    }
}

fn is_oldest_first(sort: &str) -> Option<bool> {
    match sort {
        "-timestamp" => Some(false),
        "timestamp" => Some(true),
        _ => None,
    }
}

/// Returns whose entries are meant: those of the account with this id or this username, and those whose actor had the
/// name then. A username may consist of 24 hex digits and look like an id.
async fn find_actor(app: &App, text: String) -> Result<AuditActor, StoreError> {
    let by_id = text.parse().ok();
    let by_name = administration::account_named(app, &text).await?;
    let is_name = by_id.is_none() || by_name.is_some();
    Ok(AuditActor { accounts: by_id.into_iter().chain(by_name).collect(), name: is_name.then_some(text) })
}
