//! The entries that writes to the tree leave in the audits.

use bson::doc;

use super::{BelowCounts, Node};
use crate::audits::{
    diff::Diff,
    operation::AuditOperation,
    store::{AuditDoc, Trail},
};

/// Returns the entry for an insertion.
pub(in crate::catalogue) fn inserted<N: Node>(node: &N, trail: &Trail) -> AuditDoc {
    trail
        .entry(N::SUBJECT, AuditOperation::Insert, node.id())
        .with_code(node.code())
        .with_document(node.audit_document())
}

/// Returns the entry for a deletion, with the numbers of what was deleted below.
pub(in crate::catalogue) fn deleted<N: Node>(node: &N, below: BelowCounts, trail: &Trail) -> AuditDoc {
    let entry = trail.entry(N::SUBJECT, AuditOperation::Delete, node.id()).with_code(node.code());
    entry.with_document(node.audit_document()).with_changes(doc! { "deleted": below.document() })
}

/// Returns the entry for a change, with the fields that differ and their old values.
pub(in crate::catalogue) fn updated<N: Node>(before: &N, after: &N, trail: &Trail) -> AuditDoc {
    let changes = Diff::between(&before.audit_document(), &after.audit_document()).into_description();
    let entry = trail.entry(N::SUBJECT, AuditOperation::Update, before.id()).with_code(before.code());
    entry.with_document(after.audit_document()).with_changes(changes)
}
