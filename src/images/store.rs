//! The collection `image_trash`: keys of images that are to be removed. A key is added before its image is kept, and
//! the transaction that stores the image's document takes it out. After a crash at any moment, an image without a
//! document is still listed here. See [`crate::images`] for the steps.

use bson::{Document, doc};
use mongodb::{ClientSession, Collection, options::ReturnDocument};
use serde::{Deserialize, Serialize};

use super::key::ImageKey;
use crate::{
    db::{
        StoreError,
        schema::{Connection, Layout, StorePart, index},
    },
    values::time::Timestamp,
};

const NAME: &str = "image_trash";

/// An image that is to be removed, unless a document claims it first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TrashDoc {
    /// Key of the image.
    #[serde(rename = "_id")]
    pub key: ImageKey,
    /// Time from which the image may be removed. While a process removes it, this is the time from which another
    /// process may try.
    pub due_at: Timestamp,
    /// How often its removal was begun. Once it is greater than 0, no document can claim the image any more.
    pub attempts: u32,
}

/// The collection `image_trash`.
#[derive(Clone)]
pub struct ImageTrash {
    docs: Collection<TrashDoc>,
}

impl StorePart for ImageTrash {
    fn open(connection: &Connection) -> Self {
        Self { docs: connection.collection(NAME) }
    }

    fn layout() -> Option<Layout> {
        Some(Layout { collection: NAME, indexes: vec![index("due_at", doc! { "due_at": 1 })], validator: doc! {} })
    }
}

impl ImageTrash {
    /// Adds the key of an image that is about to be kept. It is removed at `due_at` unless a document claims it.
    pub(super) async fn reserve(&self, key: &ImageKey, due_at: Timestamp) -> Result<(), StoreError> {
        self.docs.insert_one(TrashDoc { key: key.clone(), due_at, attempts: 0 }).await?;
        Ok(())
    }

    /// Takes a key out, in the transaction that stores its document. Returns false if the image is being removed or is
    /// gone; the document must not be stored then.
    pub(crate) async fn claim_in(&self, session: &mut ClientSession, key: &ImageKey) -> mongodb::error::Result<bool> {
        let untouched = doc! { "_id": key, "attempts": 0 };
        Ok(self.docs.delete_one(untouched).session(session).await?.deleted_count == 1)
    }

    /// Adds the keys of images that no document shows any more, in the transaction that removes them from their
    /// documents. They are due now.
    pub(crate) async fn discard_in(
        &self,
        session: &mut ClientSession,
        keys: &[ImageKey],
        now: Timestamp,
    ) -> mongodb::error::Result<()> {
        if keys.is_empty() {
            return Ok(());
        }
        // A key that is listed already would make the insert fail, and with it the transaction at every retry.
        let listed_already = doc! { "_id": { "$in": keys } };
        self.docs.delete_many(listed_already).session(&mut *session).await?;
        let rows = keys.iter().map(|key| TrashDoc { key: key.clone(), due_at: now, attempts: 0 });
        self.docs.insert_many(rows).session(session).await?;
        Ok(())
    }

    /// Makes an image due now, if no document has claimed it and its removal has not begun.
    pub(super) async fn hasten(&self, key: &ImageKey, now: Timestamp) -> Result<(), StoreError> {
        let untouched = doc! { "_id": key, "attempts": 0 };
        self.docs.update_one(untouched, doc! { "$set": { "due_at": now } }).await?;
        Ok(())
    }

    /// Takes the image that has been due for longest; `None` if none is due. Until `deadline`, no other call takes it.
    /// From now on, no document can claim it.
    pub(super) async fn begin(&self, now: Timestamp, deadline: Timestamp) -> Result<Option<TrashDoc>, StoreError> {
        let due: Document = doc! { "due_at": { "$lte": now } };
        let update = doc! { "$set": { "due_at": deadline }, "$inc": { "attempts": 1 } };
        let action = self.docs.find_one_and_update(due, update).sort(doc! { "due_at": 1 });
        Ok(action.return_document(ReturnDocument::After).await?)
    }

    /// Puts off the next attempt to remove an image until `due_at`. Does nothing if another process has taken the image
    /// since.
    pub(super) async fn postpone(&self, trash: &TrashDoc, due_at: Timestamp) -> Result<(), StoreError> {
        let same_attempt = doc! { "_id": &trash.key, "attempts": trash.attempts };
        self.docs.update_one(same_attempt, doc! { "$set": { "due_at": due_at } }).await?;
        Ok(())
    }

    /// Takes out the key of an image that was removed.
    pub(super) async fn forget(&self, key: &ImageKey) -> Result<(), StoreError> {
        self.docs.delete_one(doc! { "_id": key }).await?;
        Ok(())
    }
}
