//! The collections `image_trash` and `image_files`. `image_trash` has the keys of images that are to be removed. A key
//! is added before its image is kept, and the transaction that stores the image's document takes it out. After a crash
//! at any moment, an image without a document is still listed here. See [`crate::images`] for the steps.

mod files;
mod places;

use std::collections::{BTreeMap, BTreeSet};

use bson::{Document, doc};
use futures_util::{FutureExt, TryStreamExt};
use mongodb::{ClientSession, Collection, IndexModel, options::IndexOptions, options::ReturnDocument};
use serde::{Deserialize, Serialize};

use self::files::KnownFiles;
pub(crate) use self::{
    files::{ImageFiles, ShownFile},
    places::image_indexes,
};
use super::key::{ImageKey, LOCAL, MEDIA};
use crate::{
    db::{
        StoreError,
        schema::{Connection, Layout, StorePart, index},
        transaction::transact,
    },
    values::time::Timestamp,
};

const NAME: &str = "image_trash";

/// An image that is to be removed, unless a document shows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TrashDoc {
    /// Key of the image.
    #[serde(rename = "_id")]
    pub key: ImageKey,
    /// The URL at which documents showed the image; `None` if it was never shown, or was added by an older version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// Time from which the image may be removed. While a process removes it, this is the time from which another
    /// process may try. `None` while `discarded_at` is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due_at: Option<Timestamp>,
    /// Time at which a document stopped showing the image. It may be removed `IMAGE_TRASH_DAYS` later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    discarded_at: Option<Timestamp>,
    /// How often its removal was begun. Once it is greater than 0, no document can show the image any more.
    pub attempts: u32,
}

/// An image that a document shows or showed.
#[derive(Debug, Clone)]
pub(crate) struct ShownImage {
    /// Its key; `None` for a URL that somebody typed, if the shop does not store the image or the document is of an
    /// older version.
    pub key: Option<ImageKey>,
    /// Its URL.
    pub url: String,
}

/// The collection `image_trash`, together with `image_files`.
#[derive(Clone)]
pub struct ImageTrash {
    connection: Connection,
    docs: Collection<TrashDoc>,
    files: ImageFiles,
}

impl StorePart for ImageTrash {
    fn open(connection: &Connection) -> Self {
        Self { connection: connection.clone(), docs: connection.collection(NAME), files: ImageFiles::open(connection) }
    }

    fn layout() -> Option<Layout> {
        let sparse = IndexOptions::builder().name("discarded_at".to_owned()).sparse(true).build();
        let discarded_at = IndexModel::builder().keys(doc! { "discarded_at": 1 }).options(sparse).build();
        let indexes = vec![index("due_at", doc! { "due_at": 1 }), discarded_at];
        Some(Layout { collection: NAME, indexes, validator: doc! {} })
    }
}

impl ImageTrash {
    /// Adds the key of an image that is about to be kept. It is removed at `due_at` unless a document claims it.
    pub(super) async fn reserve(&self, key: &ImageKey, due_at: Timestamp) -> Result<(), StoreError> {
        let row = TrashDoc { key: key.clone(), url: None, due_at: Some(due_at), discarded_at: None, attempts: 0 };
        self.docs.insert_one(row).await?;
        Ok(())
    }

    /// Takes the key of an uploaded image out, in the transaction that stores its document. Returns false if the image
    /// is being removed or is gone; the document must not be stored then.
    pub(crate) async fn claim_in(&self, tx: &mut ClientSession, key: &ImageKey) -> mongodb::error::Result<bool> {
        let untouched = doc! { "_id": key, "attempts": 0 };
        if self.docs.delete_one(untouched).session(&mut *tx).await?.deleted_count == 0 {
            return Ok(false);
        }
        self.files.touch_in(tx, &BTreeSet::from([key.clone()]), &KnownFiles::default()).await?;
        Ok(true)
    }

    /// Finds out what the URLs show that a transaction stores, and takes the images of the shop among them out of the
    /// trash. The transaction must store the key of [`ShownFile::Kept`] with the URL. It must not store a URL that is
    /// [`ShownFile::Gone`] where the caller expects to see the image.
    pub(crate) async fn claim_shown_in<'a>(
        &self,
        tx: &mut ClientSession,
        urls: impl IntoIterator<Item = &'a str> + Send,
    ) -> mongodb::error::Result<BTreeMap<&'a str, ShownFile>> {
        let urls: BTreeMap<&str, Vec<ImageKey>> = urls.into_iter().map(|url| (url, ImageKey::shown_at(url))).collect();
        let named: BTreeSet<ImageKey> = urls.values().flatten().cloned().collect();
        let mut known = self.files.known_in(tx, &named).await?;
        let mut in_use = BTreeSet::new();
        if !named.is_empty() {
            self.add_listed_in(tx, &named, &mut known, &mut in_use).await?;
            in_use.extend(self.files.undocumented_in(tx, &urls, &known).await?);
        }
        let shown: BTreeMap<&str, ShownFile> =
            urls.into_keys().map(|url| (url, known.shown_at(url, &in_use))).collect();
        let kept: BTreeSet<ImageKey> = shown.values().filter_map(ShownFile::key).cloned().collect();
        if !kept.is_empty() {
            let untouched = doc! { "_id": { "$in": kept.iter().collect::<Vec<_>>() }, "attempts": 0 };
            self.docs.delete_many(untouched).session(&mut *tx).await?;
            self.files.touch_in(tx, &kept, &known).await?;
        }
        Ok(shown)
    }

    /// Returns those of some URLs whose images are removed, or whose removal has begun.
    pub(super) async fn gone(&self, urls: &BTreeSet<String>) -> Result<BTreeSet<String>, StoreError> {
        let keys: BTreeMap<&String, Vec<ImageKey>> = urls.iter().map(|url| (url, ImageKey::shown_at(url))).collect();
        let named: Vec<&ImageKey> = keys.values().flatten().collect();
        if named.is_empty() {
            return Ok(BTreeSet::new());
        }
        let begun = self.docs.find(doc! { "_id": { "$in": &named }, "attempts": { "$gt": 0 } }).await?;
        let mut gone: BTreeSet<ImageKey> = begun.map_ok(|row| row.key).try_collect().await?;
        gone.extend(self.files.buried(&named).await?);
        let is_gone = |(_, keys): &(&String, Vec<ImageKey>)| keys.iter().any(|key| gone.contains(key));
        Ok(keys.into_iter().filter(is_gone).map(|(url, _)| url.clone()).collect())
    }

    /// Adds what the trash knows about images: those whose removal has begun are gone, the others still exist.
    async fn add_listed_in(
        &self,
        tx: &mut ClientSession,
        keys: &BTreeSet<ImageKey>,
        known: &mut KnownFiles,
        existing: &mut BTreeSet<ImageKey>,
    ) -> mongodb::error::Result<()> {
        let has_key = doc! { "_id": { "$in": keys.iter().collect::<Vec<_>>() } };
        let mut cursor = self.docs.find(has_key).session(&mut *tx).await?;
        let rows: Vec<TrashDoc> = cursor.stream(tx).try_collect().await?;
        for row in rows {
            if row.attempts > 0 { &mut known.gone } else { &mut *existing }.insert(row.key);
        }
        Ok(())
    }

    /// Adds the images that documents showed, in the transaction that removes them from their documents. They are due
    /// `IMAGE_TRASH_DAYS` later, and stay if a document shows them then.
    pub(crate) async fn discard_in(
        &self,
        tx: &mut ClientSession,
        images: &[ShownImage],
        now: Timestamp,
    ) -> mongodb::error::Result<()> {
        let named: BTreeSet<ImageKey> = images.iter().flat_map(ShownImage::keys).collect();
        if named.is_empty() {
            return Ok(());
        }
        let known = self.files.known_in(tx, &named).await?;
        let mut rows = BTreeMap::new();
        for image in images {
            let is_of_shop = |key: &ImageKey| image.is_certain() || known.documented.contains(key);
            rows.extend(image.keys().into_iter().filter(is_of_shop).map(|key| (key, image.plain_url())));
        }
        let documented = rows.keys().filter(|key| known.documented.contains(*key)).cloned().collect();
        self.list_in(tx, rows, now).await?;
        // Images of older versions have no document. The row of the trash is enough for them: the worker writes to it
        // too.
        self.files.touch_in(tx, &documented, &known).await
    }

    /// Lists discarded images with their URLs.
    async fn list_in(
        &self,
        tx: &mut ClientSession,
        rows: BTreeMap<ImageKey, String>,
        now: Timestamp,
    ) -> mongodb::error::Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        // A key that is listed already would make the insert fail, and with it the transaction at every retry.
        let listed_already = doc! { "_id": { "$in": rows.keys().collect::<Vec<_>>() } };
        self.docs.delete_many(listed_already).session(&mut *tx).await?;
        let discarded =
            |(key, url)| TrashDoc { key, url: Some(url), due_at: None, discarded_at: Some(now), attempts: 0 };
        self.docs.insert_many(rows.into_iter().map(discarded)).session(tx).await?;
        Ok(())
    }

    /// Makes an image due now, if no document has claimed it and its removal has not begun.
    pub(super) async fn hasten(&self, key: &ImageKey, now: Timestamp) -> Result<(), StoreError> {
        let untouched = doc! { "_id": key, "attempts": 0, "discarded_at": { "$exists": false } };
        self.docs.update_one(untouched, doc! { "$set": { "due_at": now } }).await?;
        Ok(())
    }

    /// Takes the image that has been due for longest; `None` if none is due. Images that a document showed are due once
    /// they were discarded at `discarded_by` or before. Until `deadline`, no other call takes the image.
    pub(super) async fn begin(
        &self,
        now: Timestamp,
        discarded_by: Timestamp,
        deadline: Timestamp,
    ) -> Result<Option<TrashDoc>, StoreError> {
        for (field, latest) in [("due_at", now), ("discarded_at", discarded_by)] {
            let due: Document = doc! { field: { "$lte": latest } };
            let update = doc! { "$set": { "due_at": deadline }, "$unset": { "discarded_at": "" } };
            let action = self.docs.find_one_and_update(due, update).sort(doc! { field: 1 });
            let taken = action.return_document(ReturnDocument::After).await?;
            if taken.is_some() {
                return Ok(taken);
            }
        }
        Ok(None)
    }

    /// Decides that an image is removed, and returns its new state. From then on, no document can show it. Returns
    /// `None` if the image stays, because a document shows it or something happened to it since it was taken.
    ///
    /// The transaction conflicts with every other one that stores or discards a reference to the image.
    pub(super) async fn condemn(&self, taken: &TrashDoc, now: Timestamp) -> Result<Option<TrashDoc>, StoreError> {
        transact(&self.connection.client, (self, taken), move |tx, &(trash, taken)| {
            async move {
                let as_taken = doc! { "_id": &taken.key, "due_at": taken.due_at };
                let mark = trash.docs.find_one_and_update(as_taken, doc! { "$inc": { "attempts": 1 } });
                let marked = mark.return_document(ReturnDocument::After).session(&mut *tx).await?;
                let Some(condemned) = marked else { return Ok(None) };
                let url = condemned.shown_url();
                // Once the removal has begun, the image may be gone already.
                if taken.attempts == 0 && trash.files.touch_and_look_in(tx, &taken.key, url.as_deref()).await? {
                    trash.docs.delete_one(doc! { "_id": &taken.key }).session(tx).await?;
                    return Ok(None);
                }
                trash.files.bury_in(tx, &taken.key, now).await?;
                Ok(Some(condemned))
            }
            .boxed()
        })
        .await
    }

    /// Puts off the next attempt to remove an image until `due_at`. Does nothing if another process has taken the image
    /// since.
    pub(super) async fn postpone(&self, trash: &TrashDoc, due_at: Timestamp) -> Result<(), StoreError> {
        self.docs.update_one(trash.same_attempt(), doc! { "$set": { "due_at": due_at } }).await?;
        Ok(())
    }

    /// Takes out the key of an image that was removed. Does nothing if another process has taken the image since.
    pub(super) async fn forget(&self, trash: &TrashDoc) -> Result<(), StoreError> {
        self.docs.delete_one(trash.same_attempt()).await?;
        Ok(())
    }
}

impl TrashDoc {
    fn same_attempt(&self) -> Document {
        doc! { "_id": &self.key, "attempts": self.attempts }
    }

    /// Returns the URL with which addresses of the image begin, if it is known.
    fn shown_url(&self) -> Option<String> {
        let is_local = self.key.home() == LOCAL;
        if is_local { Some(format!("{MEDIA}{}", self.key.name())) } else { self.url.clone() }
    }
}

impl ShownImage {
    /// Returns the keys of the images that it may be.
    fn keys(&self) -> Vec<ImageKey> {
        self.key.clone().map_or_else(|| ImageKey::shown_at(&self.url), |key| vec![key])
    }

    /// Returns its URL without a query and a fragment.
    fn plain_url(&self) -> String {
        self.url.split(['?', '#']).next().unwrap_or_default().to_owned()
    }

    /// Returns whether there is no doubt which image it is.
    fn is_certain(&self) -> bool {
        self.key.is_some() || self.url.starts_with(MEDIA)
    }
}
