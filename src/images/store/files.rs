//! The collection `image_files`: one document for each image that documents show or showed. Every transaction that
//! stores or discards a reference to the image increments its `rev`, and so does the one that decides about its
//! removal. A decision and a new reference therefore conflict, and the later one sees the earlier one.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use bson::doc;
use futures_util::TryStreamExt;
use mongodb::{ClientSession, Collection, error::Result};
use serde::{Deserialize, Serialize};

use super::places;
use crate::{
    db::{
        StoreError,
        schema::{Connection, Layout, StorePart, swept},
    },
    images::key::{ImageKey, MEDIA},
    values::time::Timestamp,
};

const NAME: &str = "image_files";
/// Time for which it is remembered that an image was removed. It is longer than any call that looked for the file
/// before it was removed.
pub(super) const REMOVAL_REMEMBERED_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// A stored image.
#[derive(Debug, Serialize, Deserialize)]
struct FileDoc {
    #[serde(rename = "_id")]
    key: ImageKey,
    /// Counts references that were stored or discarded.
    rev: i64,
    /// Set when the image is removed. No document may show the image any more, and this document is swept at this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
}

/// The collection `image_files`. Images of older versions get their document with the next reference.
#[derive(Clone)]
pub struct ImageFiles {
    docs: Collection<FileDoc>,
    connection: Connection,
}

impl StorePart for ImageFiles {
    fn open(connection: &Connection) -> Self {
        Self { docs: connection.collection(NAME), connection: connection.clone() }
    }

    fn layout() -> Option<Layout> {
        Some(Layout { collection: NAME, indexes: vec![swept(Duration::ZERO)], validator: doc! {} })
    }
}

/// What a URL shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ShownFile {
    /// Something that the shop doesn't store.
    Foreign,
    /// An image that the shop stores.
    Kept(ImageKey),
    /// Nothing any more: the image is removed, or never was one.
    Gone,
}

impl ShownFile {
    /// Returns the key of an image that the shop stores.
    pub(super) fn key(&self) -> Option<&ImageKey> {
        match self {
            Self::Kept(key) => Some(key),
            Self::Foreign | Self::Gone => None,
        }
    }
}

/// What is known about images.
#[derive(Default)]
pub(super) struct KnownFiles {
    /// Images that have a document in `image_files` and are not removed.
    pub(super) documented: BTreeSet<ImageKey>,
    /// Images that are removed.
    pub(super) gone: BTreeSet<ImageKey>,
}

impl KnownFiles {
    /// Returns what `url` shows. `in_use` has further images that exist. An image of the local folder of which nothing
    /// is known counts as kept: it is an older one, and the caller has looked for its file.
    pub(super) fn shown_at(&self, url: &str, in_use: &BTreeSet<ImageKey>) -> ShownFile {
        let mut keys = ImageKey::shown_at(url);
        if keys.iter().any(|key| self.gone.contains(key)) {
            return ShownFile::Gone;
        }
        let is_kept = |key: &ImageKey| self.documented.contains(key) || in_use.contains(key);
        match keys.iter().position(is_kept) {
            Some(at) => ShownFile::Kept(keys.swap_remove(at)),
            None if url.starts_with(MEDIA) => keys.pop().map_or(ShownFile::Gone, ShownFile::Kept),
            None => ShownFile::Foreign,
        }
    }
}

impl ImageFiles {
    /// Returns what is known about images.
    pub(super) async fn known_in(&self, tx: &mut ClientSession, keys: &BTreeSet<ImageKey>) -> Result<KnownFiles> {
        let mut known = KnownFiles::default();
        if keys.is_empty() {
            return Ok(known);
        }
        let has_key = doc! { "_id": { "$in": keys.iter().collect::<Vec<_>>() } };
        let mut cursor = self.docs.find(has_key).session(&mut *tx).await?;
        let files: Vec<FileDoc> = cursor.stream(tx).try_collect().await?;
        for file in files {
            let set = if file.expires_at.is_none() { &mut known.documented } else { &mut known.gone };
            set.insert(file.key);
        }
        Ok(known)
    }

    /// Returns those of some images that are removed.
    pub(super) async fn buried(&self, keys: &[&ImageKey]) -> std::result::Result<Vec<ImageKey>, StoreError> {
        let is_removed = doc! { "_id": { "$in": keys }, "expires_at": { "$exists": true } };
        Ok(self.docs.find(is_removed).await?.map_ok(|file| file.key).try_collect().await?)
    }

    /// Returns those of the images of which nothing is known that documents of older versions show by their keys. An
    /// image of the local folder is named by its URL and needs no search.
    pub(super) async fn undocumented_in(
        &self,
        tx: &mut ClientSession,
        urls: &BTreeMap<&str, Vec<ImageKey>>,
        known: &KnownFiles,
    ) -> Result<BTreeSet<ImageKey>> {
        let is_known = |key: &&ImageKey| known.documented.contains(*key) || known.gone.contains(*key);
        let remote =
            urls.iter().filter(|(url, keys)| !url.starts_with(MEDIA) && !keys.iter().any(|key| is_known(&key)));
        let keys: Vec<&ImageKey> = remote.flat_map(|(_, keys)| keys).collect();
        places::keys_in_use(&self.connection, tx, &keys).await
    }

    /// Increments the `rev` of images. Those without a document get one.
    pub(super) async fn touch_in(
        &self,
        tx: &mut ClientSession,
        keys: &BTreeSet<ImageKey>,
        known: &KnownFiles,
    ) -> Result<()> {
        let (documented, new): (Vec<&ImageKey>, Vec<&ImageKey>) =
            keys.iter().partition(|key| known.documented.contains(*key));
        if !documented.is_empty() {
            let increment = doc! { "$inc": { "rev": 1_i64 } };
            self.docs.update_many(doc! { "_id": { "$in": documented } }, increment).session(&mut *tx).await?;
        }
        if !new.is_empty() {
            let rows = new.into_iter().map(|key| FileDoc { key: key.clone(), rev: 1, expires_at: None });
            self.docs.insert_many(rows).session(tx).await?;
        }
        Ok(())
    }

    /// Increments the `rev` of an image, and returns whether a document shows it.
    pub(super) async fn touch_and_look_in(
        &self,
        tx: &mut ClientSession,
        key: &ImageKey,
        url: Option<&str>,
    ) -> Result<bool> {
        let increment = doc! { "$inc": { "rev": 1_i64 } };
        self.docs.update_one(doc! { "_id": key }, increment).upsert(true).session(&mut *tx).await?;
        places::is_shown(&self.connection, tx, key, url).await
    }

    /// Records that an image is removed, so that no document may show it any more.
    pub(super) async fn bury_in(&self, tx: &mut ClientSession, key: &ImageKey, now: Timestamp) -> Result<()> {
        let update = doc! { "$inc": { "rev": 1_i64 }, "$set": { "expires_at": now.after(REMOVAL_REMEMBERED_FOR) } };
        self.docs.update_one(doc! { "_id": key }, update).upsert(true).session(tx).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "0123456789abcdef0123456789abcdef-0123456789abcdef.jpg";

    #[test]
    fn a_url_shows_what_is_known_of_it() {
        let (local, remote) = (ImageKey::of("local", NAME), ImageKey::of("objects", NAME));
        let none = BTreeSet::new();
        let known = |documented: &[&ImageKey], gone: &[&ImageKey]| KnownFiles {
            documented: documented.iter().map(|key| (*key).clone()).collect(),
            gone: gone.iter().map(|key| (*key).clone()).collect(),
        };
        let (here, there) = (format!("/media/{NAME}"), format!("https://images.example.com/shop/{NAME}?v=2"));
        let nothing = known(&[], &[]);
        assert_eq!(nothing.shown_at(&here, &none), ShownFile::Kept(local.clone()));
        assert_eq!(nothing.shown_at(&there, &none), ShownFile::Foreign);
        assert_eq!(nothing.shown_at("/media/a.png", &none), ShownFile::Gone);
        assert_eq!(nothing.shown_at(&there, &BTreeSet::from([remote.clone()])), ShownFile::Kept(remote.clone()));
        assert_eq!(known(&[&remote], &[]).shown_at(&there, &none), ShownFile::Kept(remote.clone()));
        assert_eq!(known(&[], &[&local, &remote]).shown_at(&here, &none), ShownFile::Gone);
        assert_eq!(known(&[], &[&remote]).shown_at(&there, &none), ShownFile::Gone);
    }
}
