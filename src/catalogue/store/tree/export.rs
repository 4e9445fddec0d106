//! Reading the whole tree as it is at one moment, sorted by full code.

use bson::doc;
use mongodb::{ClientSession, Collection, SessionCursor};

use super::{Node, Tree};
use crate::{
    catalogue::store::{
        branches::{BranchDoc, Brand, Category, Model},
        products::ProductDoc,
    },
    db::StoreError,
};

/// How many documents of each level are fetched in one answer.
const BATCH: u32 = 500;

/// A reader of the tree as it was when the snapshot was taken, whatever is written in the meantime.
///
/// It uses a snapshot session. A transaction would be ended by the database after a minute. The database keeps the
/// state for five minutes by default; a longer read fails with `SnapshotTooOld`.
pub struct Snapshot {
    session: ClientSession,
    brands: LevelReader<BranchDoc<Brand>>,
    models: LevelReader<BranchDoc<Model>>,
    categories: LevelReader<BranchDoc<Category>>,
    products: LevelReader<ProductDoc>,
}

/// An entry of the tree, on any level.
#[derive(Debug)]
pub enum ExportedEntry {
    Brand(BranchDoc<Brand>),
    Model(BranchDoc<Model>),
    Category(BranchDoc<Category>),
    Product(Box<ProductDoc>),
}

/// The reader of one level, and the next document of that level.
struct LevelReader<N> {
    cursor: SessionCursor<N>,
    next: Option<N>,
}

impl Tree {
    /// Starts to read the tree as it is now.
    pub(in crate::catalogue) async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let mut session = self.connection.client.start_session().snapshot(true).await?;
        Ok(Snapshot {
            brands: LevelReader::open(self.docs(), &mut session).await?,
            models: LevelReader::open(self.docs(), &mut session).await?,
            categories: LevelReader::open(self.docs(), &mut session).await?,
            products: LevelReader::open(self.docs(), &mut session).await?,
            session,
        })
    }
}

impl Snapshot {
    /// Returns the next entry by full code; `None` at the end.
    ///
    /// The entries of the four levels are merged, and each comes right before everything below it: `TATA`,
    /// `TATA-NEXON`, `TATA-NEXON-BRK`, `TATA-NEXON-BRK-PAD`, `VOLVO`. The reason is that `-` sorts before all other
    /// characters of codes.
    pub async fn next(&mut self) -> Result<Option<ExportedEntry>, StoreError> {
        let codes =
            [self.brands.next_code(), self.models.next_code(), self.categories.next_code(), self.products.next_code()];
        let first = codes.iter().enumerate().filter_map(|(level, code)| Some(((*code)?, level))).min();
        let session = &mut self.session;
        Ok(match first.map(|(_, level)| level) {
            None => None,
            Some(0) => self.brands.take_next(session).await?.map(ExportedEntry::Brand),
            Some(1) => self.models.take_next(session).await?.map(ExportedEntry::Model),
            Some(2) => self.categories.take_next(session).await?.map(ExportedEntry::Category),
            Some(_) => self.products.take_next(session).await?.map(|product| ExportedEntry::Product(Box::new(product))),
        })
    }
}

impl<N: Node> LevelReader<N> {
    async fn open(docs: Collection<N>, session: &mut ClientSession) -> Result<Self, StoreError> {
        let query = docs.find(doc! {}).sort(doc! { "code": 1 }).batch_size(BATCH);
        let mut cursor = query.session(&mut *session).await?;
        let next = cursor.next(session).await.transpose()?;
        Ok(Self { cursor, next })
    }

    /// Returns the full code of the next document.
    fn next_code(&self) -> Option<&str> {
        self.next.as_ref().map(|node| node.code().as_str())
    }

    /// Returns the next document and fetches the one after it.
    async fn take_next(&mut self, session: &mut ClientSession) -> Result<Option<N>, StoreError> {
        let following = self.cursor.next(session).await.transpose()?;
        Ok(std::mem::replace(&mut self.next, following))
    }
}
