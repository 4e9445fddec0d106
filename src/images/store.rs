//! The collection `image_trash`: images that are to be removed from the place that keeps them. A key stands here before its
//! image is sent there, and is taken out by the transaction that stores the document it belongs to: whatever is cut off,
//! no image stays without a document.

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

/// An image that is to be removed, unless a document claims it before.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TrashDoc {
    /// Its key.
    #[serde(rename = "_id")]
    pub key: ImageKey,
    /// When it is to be removed; while somebody removes it, when somebody else may.
    pub due_at: Timestamp,
    /// How often removing it was begun. From the first time on no document can claim it.
    pub attempts: u32,
}

/// The collection.
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
    /// Puts in the key of an image that is about to be sent.
    pub async fn reserve(&self, key: &ImageKey, due_at: Timestamp) -> Result<(), StoreError> {
        self.docs.insert_one(TrashDoc { key: key.clone(), due_at, attempts: 0 }).await?;
        Ok(())
    }

    /// Takes a key out, in the transaction that stores its document. False when the image is being removed or is gone:
    /// then the document must not be stored.
    pub async fn claim_in(&self, session: &mut ClientSession, key: &ImageKey) -> mongodb::error::Result<bool> {
        let untouched = doc! { "_id": key, "attempts": 0 };
        Ok(self.docs.delete_one(untouched).session(session).await?.deleted_count == 1)
    }

    /// Puts in the keys of images that are shown no more, in the transaction that ends their being shown.
    pub async fn discard_in(
        &self,
        session: &mut ClientSession,
        keys: &[ImageKey],
        now: Timestamp,
    ) -> mongodb::error::Result<()> {
        if keys.is_empty() {
            return Ok(());
        }
        // A key that is here already would make the insert fail, and with it the transaction for good.
        let already = doc! { "_id": { "$in": keys } };
        self.docs.delete_many(already).session(&mut *session).await?;
        let rows = keys.iter().map(|key| TrashDoc { key: key.clone(), due_at: now, attempts: 0 });
        self.docs.insert_many(rows).session(session).await?;
        Ok(())
    }

    /// Has an image removed now, if no document has claimed it.
    pub async fn hasten(&self, key: &ImageKey, now: Timestamp) -> Result<(), StoreError> {
        let untouched = doc! { "_id": key, "attempts": 0 };
        self.docs.update_one(untouched, doc! { "$set": { "due_at": now } }).await?;
        Ok(())
    }

    /// Takes up what is due for longest and keeps others away from it until `deadline`. No document can claim it any
    /// more.
    pub async fn begin(&self, now: Timestamp, deadline: Timestamp) -> Result<Option<TrashDoc>, StoreError> {
        let due: Document = doc! { "due_at": { "$lte": now } };
        let update = doc! { "$set": { "due_at": deadline }, "$inc": { "attempts": 1 } };
        let begun = self.docs.find_one_and_update(due, update).sort(doc! { "due_at": 1 });
        Ok(begun.return_document(ReturnDocument::After).await?)
    }

    /// Has removing tried again at `due_at`, unless somebody else has begun since.
    pub async fn postpone(&self, trash: &TrashDoc, due_at: Timestamp) -> Result<(), StoreError> {
        let same = doc! { "_id": &trash.key, "attempts": trash.attempts };
        self.docs.update_one(same, doc! { "$set": { "due_at": due_at } }).await?;
        Ok(())
    }

    /// Takes a key out whose image is gone.
    pub async fn forget(&self, key: &ImageKey) -> Result<(), StoreError> {
        self.docs.delete_one(doc! { "_id": key }).await?;
        Ok(())
    }
}
