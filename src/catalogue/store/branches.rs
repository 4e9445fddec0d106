//! The collections `brands`, `models` and `categories`, whose documents have the same fields.
//!
//! A *branch* is an entry of one of these three levels of the tree.

use std::{collections::HashMap, fmt::Debug};

use bson::{Bson, Document, doc};
use futures_util::TryStreamExt;
use mongodb::Collection;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{below::count_below_each, search};
use crate::{
    audits::subject::AuditSubject,
    catalogue::rules::{names::Name, search::SearchText},
    db::{
        StoreError,
        query::{SEARCH_LIMIT, count_all, find_part},
        schema::{Connection, Layout, StorePart, index, unique},
    },
    images::{key::ImageKey, store::image_indexes},
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
    /// The type of ids on this level.
    type Id: Serialize + DeserializeOwned + Into<Bson> + Debug + Copy + Send + Sync + Unpin + 'static;
    /// The type of ids on the level above; `()` for brands.
    type ParentId: Serialize + DeserializeOwned + Debug + Copy + Send + Sync + Unpin + 'static;
    /// The name of the collection.
    const COLLECTION: &'static str;
    /// What its entries in the audits are about.
    const SUBJECT: AuditSubject;
    /// The same level as a value.
    const LEVEL: TreeLevel;
}

/// The top level.
#[derive(Debug, Clone, Copy)]
pub struct Brand;
/// The level below brands.
#[derive(Debug, Clone, Copy)]
pub struct Model;
/// The level below models.
#[derive(Debug, Clone, Copy)]
pub struct Category;

impl Level for Brand {
    type Id = BrandId;
    type ParentId = ();
    const COLLECTION: &'static str = "brands";
    const SUBJECT: AuditSubject = AuditSubject::Brands;
    const LEVEL: TreeLevel = TreeLevel::Brand;
}

impl Level for Model {
    type Id = ModelId;
    type ParentId = BrandId;
    const COLLECTION: &'static str = "models";
    const SUBJECT: AuditSubject = AuditSubject::Models;
    const LEVEL: TreeLevel = TreeLevel::Model;
}

impl Level for Category {
    type Id = CategoryId;
    type ParentId = ModelId;
    const COLLECTION: &'static str = "categories";
    const SUBJECT: AuditSubject = AuditSubject::Categories;
    const LEVEL: TreeLevel = TreeLevel::Category;
}

/// A brand, model or category as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct BranchDoc<L: Level> {
    #[serde(rename = "_id")]
    pub id: L::Id,
    /// The id of the parent; null for a brand.
    pub parent_id: L::ParentId,
    /// The full code of the parent; `None` for a brand.
    pub parent: Option<FullCode>,
    /// The code of this entry, without those of its parents.
    pub own_code: Code,
    /// The full code, unique in the collection.
    pub code: FullCode,
    pub name: Name,
    /// The URL of the image.
    pub image_url: ImageUrl,
    /// The key under which the shop stores the image; `None` for an image that it does not store. Older versions wrote
    /// none for URLs that callers named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_key: Option<ImageKey>,
    /// A counter that increases whenever children are inserted. It makes such an insert conflict with the deletion of
    /// this entry (U7).
    pub children_rev: i64,
    /// The time of the insertion.
    pub created_at: Timestamp,
    /// The time of the last change.
    pub updated_at: Timestamp,
}

/// The name of a branch with a full code.
#[derive(Deserialize)]
struct NamedCode {
    code: FullCode,
    name: Name,
}

impl<L: Level> BranchDoc<L> {
    /// Returns the document to store: the entry with the fields by which it is found below its parent.
    pub(in crate::catalogue) fn with_search_fields(&self) -> mongodb::error::Result<Document> {
        let mut document = bson::serialize_to_document(self)?;
        document.extend(search::text_fields([self.name.as_str(), self.own_code.as_str()]));
        Ok(document)
    }
}

/// One of the three collections.
#[derive(Clone)]
pub struct Branches<L: Level> {
    docs: Collection<BranchDoc<L>>,
    connection: Connection,
}

impl<L: Level> StorePart for Branches<L> {
    fn open(connection: &Connection) -> Self {
        Self { docs: connection.collection(L::COLLECTION), connection: connection.clone() }
    }

    fn layout() -> Option<Layout> {
        Some(Layout {
            collection: L::COLLECTION,
            indexes: [
                vec![
                    unique("code", doc! { "code": 1 }),
                    index("parent", doc! { "parent": 1, "_id": 1 }),
                    search::form_index(),
                ],
                image_indexes(L::COLLECTION),
            ]
            .concat(),
            validator: doc! {},
        })
    }

    async fn complete(&self) -> Result<(), StoreError> {
        let fields_of = search::StoredTexts::text_fields;
        search::add_missing_fields(&self.connection, L::COLLECTION, search::lacks_form(), fields_of).await
    }
}

impl<L: Level> Branches<L> {
    /// Returns the document with a full code; `None` if there is none.
    pub(in crate::catalogue) async fn by_code(&self, code: &FullCode) -> Result<Option<BranchDoc<L>>, StoreError> {
        Ok(self.docs.find_one(doc! { "code": code }).await?)
    }

    /// Returns whether there is a document with a full code.
    pub(in crate::catalogue) async fn exists(&self, code: &FullCode) -> Result<bool, StoreError> {
        let found: Option<Document> = find_part(&self.docs, doc! { "code": code }, doc! { "_id": 1 }).await?;
        Ok(found.is_some())
    }

    /// Counts the documents exactly. Fails if that takes longer than two seconds.
    pub(in crate::catalogue) async fn count(&self) -> Result<u64, StoreError> {
        count_all(&self.docs).await
    }

    /// Returns up to `limit` children of `parent` (`None` for brands) in the order of their insertion.
    ///
    /// With `after`, only those inserted after that id. With a `text`, only those that contain it in their name or own
    /// code, see [`search::page`]. Fails with [`StoreError::OutOfTime`] if looking for a text takes longer than two
    /// seconds.
    pub(in crate::catalogue) async fn page(
        &self,
        parent: Option<&FullCode>,
        text: Option<&SearchText>,
        after: Option<L::Id>,
        limit: i64,
    ) -> Result<Vec<BranchDoc<L>>, StoreError> {
        search::page(&self.docs, page_filter(parent, after), text, &["name", "own_code"], limit).await
    }

    /// Counts the children of `parent` exactly (`None` for brands). Fails if that takes longer than two seconds.
    pub(in crate::catalogue) async fn count_children(&self, parent: Option<&FullCode>) -> Result<u64, StoreError> {
        match parent {
            Some(parent) => Ok(self.docs.count_documents(doc! { "parent": parent }).max_time(SEARCH_LIMIT).await?),
            None => self.count().await,
        }
    }

    /// Counts the documents below each of the branches, see [`count_below_each`].
    pub(in crate::catalogue) async fn count_below(
        &self,
        branches: &[FullCode],
    ) -> Result<HashMap<FullCode, u64>, StoreError> {
        count_below_each(&self.docs, branches).await
    }

    /// Returns the names of those of the documents that exist, by their full codes.
    pub(in crate::catalogue) async fn names(
        &self,
        codes: Vec<&FullCode>,
    ) -> Result<HashMap<FullCode, Name>, StoreError> {
        let codes: Vec<Bson> = codes.into_iter().map(Bson::from).collect();
        let docs = self.docs.clone_with_type::<NamedCode>();
        let found = docs.find(doc! { "code": { "$in": codes } }).projection(doc! { "code": 1, "name": 1 }).await?;
        Ok(found.map_ok(|found| (found.code, found.name)).try_collect().await?)
    }

    /// Inserts many documents. The caller makes sure that their parents exist.
    pub(in crate::catalogue) async fn insert_many(&self, branches: &[BranchDoc<L>]) -> Result<(), StoreError> {
        let documents =
            branches.iter().map(BranchDoc::with_search_fields).collect::<mongodb::error::Result<Vec<_>>>()?;
        self.docs.clone_with_type::<Document>().insert_many(documents).await?;
        Ok(())
    }
}

/// Returns the filter for the children of `parent` whose ids follow `after`.
pub(in crate::catalogue) fn page_filter(parent: Option<&FullCode>, after: Option<impl Into<Bson>>) -> Document {
    let mut filter = doc! { "parent": parent.map_or(Bson::Null, Bson::from) };
    if let Some(after) = after {
        filter.insert("_id", doc! { "$gt": after.into() });
    }
    filter
}
