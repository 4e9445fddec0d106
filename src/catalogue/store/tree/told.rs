//! What the audits tell of a write to the tree.

use super::Node;
use crate::audits::{
    diff::Diff,
    store::{AuditDoc, Trail},
};

/// It was inserted.
pub(crate) fn inserted<N: Node>(node: &N, trail: &Trail) -> AuditDoc {
    trail.entry(N::COLLECTION, "insert", node.id()).coded(node.code()).holding(node.audited())
}

/// It was changed.
pub(crate) fn updated<N: Node>(before: &N, after: &N, trail: &Trail) -> AuditDoc {
    let changes = Diff::between(&before.audited(), &after.audited()).described();
    let entry = trail.entry(N::COLLECTION, "update", before.id()).coded(before.code());
    entry.holding(after.audited()).describing(changes)
}
