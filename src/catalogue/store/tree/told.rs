//! What the audits tell of a write to the tree.

use super::{Node, diff::Diff};
use crate::store::audits::{AuditDoc, Trail};

/// It was inserted.
pub(super) fn inserted<N: Node>(node: &N, trail: &Trail) -> AuditDoc {
    trail.entry(N::COLLECTION, "insert", node.id()).coded(node.code()).holding(node.audited())
}

/// It was changed.
pub(super) fn updated<N: Node>(before: &N, after: &N, trail: &Trail) -> AuditDoc {
    let changes = Diff::between(&before.audited(), &after.audited()).described();
    let entry = trail.entry(N::COLLECTION, "update", before.id()).coded(before.code());
    entry.holding(after.audited()).describing(changes)
}
