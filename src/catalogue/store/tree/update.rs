//! Changing one document of the tree.

use bson::doc;
use futures_util::FutureExt;
use mongodb::{ClientSession, error::Result};

use super::{GoneImage, Node, Tree, audit_entries};
use crate::{
    audits::{diff::Diff, store::Trail},
    db::{StoreError, transaction::transact},
    values::{codes::FullCode, time::Timestamp},
};

/// The outcome of a change.
#[derive(Debug)]
pub enum UpdateOutcome<N, E> {
    /// It was changed and looks like this now.
    Done(N),
    /// Nothing has the code.
    Missing,
    /// The change cannot be made to the document as it is.
    Refused(E),
    /// The new image was removed before the document could claim it.
    ImageGone(GoneImage),
}

impl Tree {
    /// Replaces the document with a full code by what `change` returns for it, and writes an entry to the audits.
    ///
    /// `change` may be called several times: if another process changes the document at the same time, the transaction
    /// starts again with the new state. The entry in the audits is written even if nothing differs.
    pub(in crate::catalogue) async fn update<N: Node, E: Send + 'static>(
        &self,
        code: &FullCode,
        change: impl Fn(&N) -> std::result::Result<N, E> + Send + Sync,
        trail: &Trail,
    ) -> std::result::Result<UpdateOutcome<N, E>, StoreError> {
        let _guard = self.write_lock.lock().await;
        transact(&self.connection.client, (self, code, &change, trail), move |tx, &(tree, code, change, trail)| {
            async move {
                let found = tree.docs::<N>().find_one(doc! { "code": code }).session(&mut *tx).await?;
                let Some(before) = found else { return Ok(UpdateOutcome::Missing) };
                match change(&before) {
                    Ok(after) => tree.replace(&before, after, trail, tx).await,
                    Err(refusal) => Ok(UpdateOutcome::Refused(refusal)),
                }
            }
            .boxed()
        })
        .await
    }

    async fn replace<N: Node, E>(
        &self,
        before: &N,
        mut changed: N,
        trail: &Trail,
        tx: &mut ClientSession,
    ) -> Result<UpdateOutcome<N, E>> {
        if let Err(gone) = self.exchange_images(before, &mut changed, trail.now, tx).await? {
            return Ok(UpdateOutcome::ImageGone(gone));
        }
        // Only fields that differ are written, so that additional fields of other programs stay in the document.
        let (after, diff) = date_change(before, changed, trail.now)?;
        if !diff.is_empty() {
            self.docs::<N>().update_one(doc! { "_id": before.id() }, diff.update()).session(&mut *tx).await?;
        }
        self.audits.append_in(tx, audit_entries::updated(before, &after, trail)).await?;
        Ok(UpdateOutcome::Done(after))
    }
}

/// Returns the new state of a document with `now` as the time of its last change, and the fields in which it differs
/// from the state before.
///
/// If nothing differs, the time stays as it is. Otherwise all fields by which queries find the document count as
/// different too, because another program may have left them wrong.
pub(in crate::catalogue) fn date_change<N: Node>(before: &N, mut after: N, now: Timestamp) -> Result<(N, Diff)> {
    // All other fields follow from these, and they take much longer to make.
    let own_fields = bson::serialize_to_document(before)?;
    let undated_diff = Diff::between(&own_fields, &bson::serialize_to_document(&after)?);
    if undated_diff.is_empty() {
        return Ok((after, undated_diff));
    }
    after.set_updated_at(now);
    let diff = Diff::between(&own_fields, &after.stored_document()?);
    Ok((after, diff))
}
