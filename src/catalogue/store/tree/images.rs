//! The images of documents that are written.

use mongodb::{ClientSession, error::Result};

use super::{Node, Tree};
use crate::{
    catalogue::rules::pictures::ProductPicture,
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

impl From<&ProductPicture> for ShownImage {
    fn from(picture: &ProductPicture) -> Self {
        Self { key: picture.key.clone(), url: picture.url.to_string() }
    }
}

impl Tree {
    /// Claims the images that a document does not show yet. Sets the keys of those whose URLs a caller named. `before`
    /// is the stored state of the document; `None` for a new one.
    pub(super) async fn claim_images<N: Node>(
        &self,
        before: Option<&N>,
        node: &mut N,
        tx: &mut ClientSession,
    ) -> Result<std::result::Result<(), GoneImage>> {
        let known: Vec<String> = before.into_iter().flat_map(Node::shown_images).map(|image| image.url).collect();
        let new_images = node.shown_images().into_iter().filter(|image| !known.contains(&image.url));
        let mut named = Vec::new();
        for ShownImage { key, url } in new_images {
            match key {
                Some(key) if !self.trash.claim_in(tx, &key).await? => return Ok(Err(GoneImage::Uploaded)),
                Some(_) => {}
                None => named.push(url),
            }
        }
        for (url, file) in self.trash.claim_shown_in(tx, named.iter().map(String::as_str)).await? {
            match file {
                ShownFile::Kept(key) => node.set_image_key(url, &key),
                ShownFile::Gone => return Ok(Err(GoneImage::Named)),
                ShownFile::Foreign => {}
            }
        }
        Ok(Ok(()))
    }

    /// Claims the new images of a document and discards the old ones, where they differ.
    pub(super) async fn exchange_images<N: Node>(
        &self,
        before: &N,
        after: &mut N,
        now: Timestamp,
        tx: &mut ClientSession,
    ) -> Result<std::result::Result<(), GoneImage>> {
        let claimed = self.claim_images(Some(before), after, tx).await?;
        if claimed.is_ok() {
            self.trash.discard_in(tx, &discarded_images(before, after), now).await?;
        }
        Ok(claimed)
    }
}

/// Returns the images that a document does not show any more after a change.
pub(super) fn discarded_images<N: Node>(before: &N, after: &N) -> Vec<ShownImage> {
    let shown = after.shown_images();
    let is_shown = |old: &ShownImage| {
        shown.iter().any(|image| image.url == old.url || (old.key.is_some() && image.key == old.key))
    };
    before.shown_images().into_iter().filter(|old| !is_shown(old)).collect()
}
