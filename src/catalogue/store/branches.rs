//! The collections `brands`, `models` and `categories`: the same document on three levels of the tree.

use std::fmt::Debug;

use bson::{Bson, Document, doc};
use mongodb::Collection;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::search;
use crate::{
    catalogue::rules::{names::Name, search::SearchText},
    db::{
        StoreError,
        query::{count_all, find_part},
        schema::{Connection, Layout, StorePart, index, unique},
    },
    images::key::ImageKey,
    values::{
        codes::{Code, FullCode},
        ids::{BrandId, CategoryId, ModelId},
        time::Timestamp,
        tree_level::TreeLevel,
        url::ImageUrl,
    },
};

/// A level of the tree above the products.
pub trait Level: Debug + Clone + Send + Sync + 'static {
    /// Ids of this level.
    type Id: Serialize + DeserializeOwned + Into<Bson> + Debug + Copy + Send + Sync + Unpin + 'static;
    /// Ids of the level above; `()` at the top.
    type ParentId: Serialize + DeserializeOwned + Debug + Copy + Send + Sync + Unpin + 'static;
    /// The collection's name.
    const COLLECTION: &'static str;
    /// Which one it is.
    const LEVEL: TreeLevel;
}

/// The top level.
#[derive(Debug, Clone, Copy)]
pub struct Brand;
/// Below brands.
#[derive(Debug, Clone, Copy)]
pub struct Model;
/// Below models.
#[derive(Debug, Clone, Copy)]
pub struct Category;

impl Level for Brand {
    type Id = BrandId;
    type ParentId = ();
    const COLLECTION: &'static str = "brands";
    const LEVEL: TreeLevel = TreeLevel::Brand;
}

impl Level for Model {
    type Id = ModelId;
    type ParentId = BrandId;
    const COLLECTION: &'static str = "models";
    const LEVEL: TreeLevel = TreeLevel::Model;
}

impl Level for Category {
    type Id = CategoryId;
    type ParentId = ModelId;
    const COLLECTION: &'static str = "categories";
    const LEVEL: TreeLevel = TreeLevel::Category;
}

/// A brand, model or category as stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct BranchDoc<L: Level> {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: L::Id,
    /// The id of what it belongs to.
    pub parent_id: L::ParentId,
    /// The full code of what it belongs to; null at the top.
    pub parent: Option<FullCode>,
    /// Its own code.
    pub own_code: Code,
    /// Its full code, unique.
    pub code: FullCode,
    /// Its name.
    pub name: Name,
    /// Its image.
    pub image_url: ImageUrl,
    /// The same image, if the shop keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_key: Option<ImageKey>,
    /// Rises with every child inserted, so that an insert and the deletion of the parent conflict (U7).
    pub children_rev: i64,
    /// When it was inserted.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// One of the three collections.
#[derive(Clone)]
pub struct Branches<L: Level> {
    docs: Collection<BranchDoc<L>>,
}

impl<L: Level> StorePart for Branches<L> {
    fn open(connection: &Connection) -> Self {
        Self { docs: connection.collection(L::COLLECTION) }
    }

    fn layout() -> Option<Layout> {
        Some(Layout {
            collection: L::COLLECTION,
            indexes: vec![unique("code", doc! { "code": 1 }), index("parent", doc! { "parent": 1, "_id": 1 })],
            validator: doc! {},
        })
    }
}

impl<L: Level> Branches<L> {
    /// The document with a full code.
    pub async fn by_code(&self, code: &FullCode) -> Result<Option<BranchDoc<L>>, StoreError> {
        Ok(self.docs.find_one(doc! { "code": code }).await?)
    }

    /// Whether a full code is taken.
    pub async fn exists(&self, code: &FullCode) -> Result<bool, StoreError> {
        let found: Option<Document> = find_part(&self.docs, doc! { "code": code }, doc! { "_id": 1 }).await?;
        Ok(found.is_some())
    }

    /// How many documents there are.
    pub async fn count(&self) -> Result<u64, StoreError> {
        count_all(&self.docs).await
    }

    /// Up to `limit` documents below `parent` (`None`: the top level), in the order of their insertion, after one id;
    /// with a `text`, only those that hold it.
    pub async fn page(
        &self,
        parent: Option<&FullCode>,
        text: Option<&SearchText>,
        after: Option<L::Id>,
        limit: i64,
    ) -> Result<Vec<BranchDoc<L>>, StoreError> {
        search::page(&self.docs, page_filter(parent, after), text, &["name", "own_code"], limit).await
    }

    /// Inserts many documents whose parents are known to be there.
    pub async fn insert_many(&self, branches: &[BranchDoc<L>]) -> Result<(), StoreError> {
        self.docs.insert_many(branches).await?;
        Ok(())
    }
}

/// Children of `parent` that come after one id.
pub(crate) fn page_filter(parent: Option<&FullCode>, after: Option<impl Into<Bson>>) -> Document {
    let mut filter = doc! { "parent": parent.map_or(Bson::Null, Bson::from) };
    if let Some(after) = after {
        filter.insert("_id", doc! { "$gt": after.into() });
    }
    filter
}
