//! Reading the whole tree as it is at one moment, in the order of the full codes.

use mongodb::{ClientSession, Collection, SessionCursor};

use super::{Node, Tree};
use crate::{
    catalogue::store::{
        branches::{BranchDoc, Brand, Category, Model},
        products::ProductDoc,
    },
    db::StoreError,
};
use bson::doc;

/// Documents that are fetched at once, on each level.
const BATCH: u32 = 500;

/// The tree as it was when the snapshot was taken, however it changes while it is read. It is a snapshot session and no
/// transaction, which the database would end after a minute; it keeps the state for five (`SnapshotTooOld` after that).
pub struct Snapshot {
    session: ClientSession,
    brands: Level<BranchDoc<Brand>>,
    models: Level<BranchDoc<Model>>,
    categories: Level<BranchDoc<Category>>,
    products: Level<ProductDoc>,
}

/// An entry of the tree.
#[derive(Debug)]
pub enum Entry {
    /// On the first level.
    Brand(BranchDoc<Brand>),
    /// On the second.
    Model(BranchDoc<Model>),
    /// On the third.
    Category(BranchDoc<Category>),
    /// On the last.
    Product(Box<ProductDoc>),
}

/// One level, and what comes next on it.
struct Level<N> {
    cursor: SessionCursor<N>,
    next: Option<N>,
}

impl Tree {
    /// Begins to read the tree as it is now.
    pub async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let mut session = self.client.start_session().snapshot(true).await?;
        Ok(Snapshot {
            brands: Level::begin(self.docs(), &mut session).await?,
            models: Level::begin(self.docs(), &mut session).await?,
            categories: Level::begin(self.docs(), &mut session).await?,
            products: Level::begin(self.docs(), &mut session).await?,
            session,
        })
    }
}

impl Snapshot {
    /// The next entry: each comes right before everything below it.
    pub async fn next(&mut self) -> Result<Option<Entry>, StoreError> {
        let codes = [self.brands.code(), self.models.code(), self.categories.code(), self.products.code()];
        let first = codes.iter().enumerate().filter_map(|(level, code)| Some(((*code)?, level))).min();
        let session = &mut self.session;
        Ok(match first.map(|(_, level)| level) {
            None => None,
            Some(0) => self.brands.step(session).await?.map(Entry::Brand),
            Some(1) => self.models.step(session).await?.map(Entry::Model),
            Some(2) => self.categories.step(session).await?.map(Entry::Category),
            Some(_) => self.products.step(session).await?.map(|product| Entry::Product(Box::new(product))),
        })
    }
}

impl<N: Node> Level<N> {
    async fn begin(docs: Collection<N>, session: &mut ClientSession) -> Result<Self, StoreError> {
        let found = docs.find(doc! {}).sort(doc! { "code": 1 }).batch_size(BATCH);
        let mut cursor = found.session(&mut *session).await?;
        let next = cursor.next(session).await.transpose()?;
        Ok(Self { cursor, next })
    }

    fn code(&self) -> Option<&str> {
        self.next.as_ref().map(|node| node.code().as_str())
    }

    /// Hands over what comes next and looks for what follows it.
    async fn step(&mut self, session: &mut ClientSession) -> Result<Option<N>, StoreError> {
        let following = self.cursor.next(session).await.transpose()?;
        Ok(std::mem::replace(&mut self.next, following))
    }
}
