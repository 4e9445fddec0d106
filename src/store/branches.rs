//! The collections `brands`, `models` and `categories`: the same document on three levels of the tree.

use std::{fmt::Debug, marker::PhantomData, sync::Arc};

use bson::{Bson, Document, doc};
use futures_util::{FutureExt, TryStreamExt};
use mongodb::{Client, ClientSession, Collection, Database};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::sync::Mutex;

use super::{Layout, StoreError, find_part, index, transaction::transact, unique};
use crate::domain::{
    codes::{Code, FullCode},
    ids::{BrandId, CategoryId, ModelId},
    names::Name,
    time::Timestamp,
    url::ImageUrl,
};

/// A level of the tree above the products.
pub trait Level: Send + Sync + 'static {
    /// Ids of this level.
    type Id: Serialize + DeserializeOwned + Into<Bson> + Debug + Copy + Send + Sync + Unpin + 'static;
    /// Ids of the level above; `()` at the top.
    type ParentId: Serialize + DeserializeOwned + Debug + Copy + Send + Sync + Unpin + 'static;
    /// The collection's name.
    const COLLECTION: &'static str;
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
}

impl Level for Model {
    type Id = ModelId;
    type ParentId = BrandId;
    const COLLECTION: &'static str = "models";
}

impl Level for Category {
    type Id = CategoryId;
    type ParentId = ModelId;
    const COLLECTION: &'static str = "categories";
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
    /// Rises with every child inserted, so that an insert and the deletion of the parent conflict (U7).
    pub children_rev: i64,
    /// When it was inserted.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

pub(super) fn layout<L: Level>() -> Layout {
    Layout {
        collection: L::COLLECTION,
        indexes: vec![unique("code", doc! { "code": 1 }), index("parent", doc! { "parent": 1, "_id": 1 })],
        validator: doc! {},
    }
}

/// One of the three collections.
#[derive(Clone)]
pub struct Branches<L: Level> {
    client: Client,
    docs: Collection<BranchDoc<L>>,
    /// Inserts below one parent conflict in the database; in one process they had better queue.
    inserts: Arc<Mutex<()>>,
    _level: PhantomData<L>,
}

impl<L: Level> Branches<L> {
    pub(super) fn new(client: &Client, database: &Database) -> Self {
        Self {
            client: client.clone(),
            docs: database.collection(L::COLLECTION),
            inserts: Arc::default(),
            _level: PhantomData,
        }
    }

    /// The document with a full code.
    pub async fn by_code(&self, code: &FullCode) -> Result<Option<BranchDoc<L>>, StoreError> {
        Ok(self.docs.find_one(doc! { "code": code }).await?)
    }

    /// Whether a full code is taken.
    pub async fn exists(&self, code: &FullCode) -> Result<bool, StoreError> {
        let found: Option<Document> = find_part(&self.docs, doc! { "code": code }, doc! { "_id": 1 }).await?;
        Ok(found.is_some())
    }

    /// Up to `limit` documents below `parent` (`None`: the top level), in the order of their insertion, after one id.
    pub async fn page(
        &self,
        parent: Option<&FullCode>,
        after: Option<L::Id>,
        limit: i64,
    ) -> Result<Vec<BranchDoc<L>>, StoreError> {
        let found = self.docs.find(page_filter(parent, after)).sort(doc! { "_id": 1 }).limit(limit);
        Ok(found.await?.try_collect().await?)
    }

    /// Inserts at the top level.
    pub async fn insert_top(&self, branch: &BranchDoc<L>) -> Result<(), StoreError> {
        self.docs.insert_one(branch).await?;
        Ok(())
    }

    /// Inserts many documents whose parents are known to be there.
    pub async fn insert_many(&self, branches: &[BranchDoc<L>]) -> Result<(), StoreError> {
        self.docs.insert_many(branches).await?;
        Ok(())
    }

    /// Inserts the child that `child` makes of this level's id, if there is a document with the code `parent` (U7).
    pub(super) async fn insert_child<C>(
        &self,
        parent: &FullCode,
        children: &Collection<C>,
        child: impl Fn(L::Id) -> C + Clone + Send + Sync + 'static,
    ) -> Result<Option<C>, StoreError>
    where
        C: Serialize + Send + Sync + 'static,
    {
        let _turn = self.inserts.lock().await;
        let (parents, children, parent) = (self.docs.clone(), children.clone(), parent.clone());
        transact(&self.client, move |session| {
            let (parents, children, parent, child) = (parents.clone(), children.clone(), parent.clone(), child.clone());
            async move {
                let Some(id) = touch::<L>(&parents, &parent, session).await? else { return Ok(None) };
                let child = child(id);
                children.insert_one(&child).session(session).await?;
                Ok(Some(child))
            }
            .boxed()
        })
        .await
    }

    /// Inserts a branch of the level below.
    pub async fn insert_branch<B>(
        &self,
        parent: &FullCode,
        below: &Branches<B>,
        child: impl Fn(L::Id) -> BranchDoc<B> + Clone + Send + Sync + 'static,
    ) -> Result<Option<BranchDoc<B>>, StoreError>
    where
        B: Level<ParentId = L::Id>,
    {
        self.insert_child(parent, &below.docs, child).await
    }
}

/// Marks a parent as changed by a new child, and tells its id.
async fn touch<L: Level>(
    parents: &Collection<BranchDoc<L>>,
    code: &FullCode,
    session: &mut ClientSession,
) -> mongodb::error::Result<Option<L::Id>> {
    let changed = parents.find_one_and_update(doc! { "code": code }, doc! { "$inc": { "children_rev": 1_i64 } });
    Ok(changed.session(session).await?.map(|parent| parent.id))
}

/// Children of `parent` that come after one id.
pub(super) fn page_filter(parent: Option<&FullCode>, after: Option<impl Into<Bson>>) -> Document {
    let mut filter = doc! { "parent": parent.map_or(Bson::Null, Bson::from) };
    if let Some(after) = after {
        filter.insert("_id", doc! { "$gt": after.into() });
    }
    filter
}
