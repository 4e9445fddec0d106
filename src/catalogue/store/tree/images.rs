//! The images of documents that are written.

use mongodb::{ClientSession, error::Result};

use super::{Node, Tree};
use crate::{
    images::store::{ShownFile, ShownImage},
    values::time::Timestamp,
};

/// An image that was removed before the document could claim it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoneImage {
    /// It was uploaded for the document, more than an hour ago.
    Uploaded,
    /// The caller named its URL.
    Named,
}

impl Tree {
    /// Claims the image of a document that does not show it yet. Sets the key of the image if a caller named its URL.
    pub(super) async fn claim_image<N: Node>(
        &self,
        node: &mut N,
        tx: &mut ClientSession,
    ) -> Result<std::result::Result<(), GoneImage>> {
        if let Some(key) = node.image_key() {
            return Ok(if self.trash.claim_in(tx, key).await? { Ok(()) } else { Err(GoneImage::Uploaded) });
        }
        let url = node.image_url().clone();
        match self.trash.claim_shown_in(tx, [url.as_str()]).await?.remove(url.as_str()) {
            Some(ShownFile::Kept(key)) => node.replace_image(url, Some(key)),
            Some(ShownFile::Gone) => return Ok(Err(GoneImage::Named)),
            Some(ShownFile::Foreign) | None => {}
        }
        Ok(Ok(()))
    }

    /// Claims the new image of a document and discards the old one, if they differ.
    pub(super) async fn exchange_image<N: Node>(
        &self,
        before: &N,
        after: &mut N,
        now: Timestamp,
        tx: &mut ClientSession,
    ) -> Result<std::result::Result<(), GoneImage>> {
        if before.image_url() == after.image_url() {
            return Ok(Ok(()));
        }
        let claimed = self.claim_image(after, tx).await?;
        if claimed.is_ok() {
            let old_images: Vec<ShownImage> = replaced_image(before, after).into_iter().collect();
            self.trash.discard_in(tx, &old_images, now).await?;
        }
        Ok(claimed)
    }
}

/// Returns the image that a document does not show any more after a change.
pub(super) fn replaced_image<N: Node>(before: &N, after: &N) -> Option<ShownImage> {
    let is_same_image = before.image_key().is_some() && before.image_key() == after.image_key();
    (before.image_url() != after.image_url() && !is_same_image).then(|| before.shown_image())
}
