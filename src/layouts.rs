//! Creating collections, validators and indexes when the server starts. If the database has all of them already,
//! nothing is changed.

use std::{
    collections::{BTreeSet, HashMap},
    time::{Duration, Instant},
};

use bson::{Bson, Document, doc};
use futures_util::{StreamExt, TryStreamExt, stream};
use mongodb::IndexModel;

use crate::{
    db::{StoreError, error, schema::Layout},
    store::Store,
};

/// MongoDB's code for "this collection exists already".
const NAMESPACE_EXISTS: i32 = 48;
/// Time for which a start waits for a primary.
const START_LIMIT: Duration = Duration::from_secs(10);
/// Pause between two checks for a primary.
const START_PAUSE: Duration = Duration::from_millis(200);
/// Number of collections that are checked at the same time. More would only open more connections.
const AT_ONCE: usize = 4;

impl Store {
    /// Creates missing collections and indexes, updates validators that have changed, and completes documents of older
    /// versions. Doing it twice changes nothing.
    ///
    /// Waits up to ten seconds for a primary. Fails with [`StoreError::Standalone`] if the database has no
    /// transactions, and fails if an index exists with the same name but another definition: that has to be removed by
    /// hand.
    pub async fn prepare(&self) -> Result<(), StoreError> {
        self.refuse_standalone().await?;
        let validators = &self.validators(doc! {}).await?;
        let apply = |layout: Layout| self.apply_layout(layout, validators);
        stream::iter(Self::layouts()).map(apply).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        self.complete().await
    }

    /// Fails if the database is a standalone mongod. Transactions need a replica set or a sharded cluster, and the
    /// first one would fail.
    async fn refuse_standalone(&self) -> Result<(), StoreError> {
        let hello = self.hello().await?;
        if hello.contains_key("setName") || hello.get_str("msg").is_ok_and(|msg| msg == "isdbgrid") {
            return Ok(());
        }
        Err(StoreError::Standalone)
    }

    /// Returns the database's answer to `hello`. Waits for a primary, because a database that has just started may
    /// still hold its election.
    async fn hello(&self) -> Result<Document, StoreError> {
        let deadline = Instant::now() + START_LIMIT;
        loop {
            match self.connection.database.run_command(doc! { "hello": 1 }).await.map_err(StoreError::from) {
                Err(StoreError::Unavailable(_)) if Instant::now() < deadline => tokio::time::sleep(START_PAUSE).await,
                outcome => return outcome,
            }
        }
    }

    /// Returns the validators of the collections that exist and match `filter`, by collection name.
    async fn validators(&self, filter: Document) -> Result<HashMap<String, Document>, StoreError> {
        let collections = self.connection.database.list_collections().filter(filter).await?;
        let by_name = collections.map_ok(|found| (found.name, found.options.validator.unwrap_or_default()));
        Ok(by_name.try_collect().await?)
    }

    /// Creates or updates one collection. `validators` are those of the collections that exist.
    async fn apply_layout(&self, layout: Layout, validators: &HashMap<String, Document>) -> Result<(), StoreError> {
        let name = layout.collection;
        let missing_indexes = match validators.get(name) {
            Some(validator) => {
                self.update_validator(&layout, validator).await?;
                self.missing_indexes(layout).await?
            }
            None => {
                self.create(&layout).await?;
                layout.indexes
            }
        };
        if missing_indexes.is_empty() {
            return Ok(());
        }
        let created = self.connection.collection::<Document>(name).create_indexes(missing_indexes).await;
        created.inspect_err(|_| tracing::error!(collection = name, "an index that the shop needs can't be made"))?;
        Ok(())
    }

    /// Creates a collection. This is done before it is used, because transactions that create a collection conflict
    /// with each other.
    async fn create(&self, layout: &Layout) -> Result<(), StoreError> {
        let created =
            self.connection.database.create_collection(layout.collection).validator(layout.validator.clone()).await;
        if !created.as_ref().is_err_and(|error| error::code_of(error) == Some(NAMESPACE_EXISTS)) {
            return Ok(created?);
        }
        // Another instance has created it meanwhile, perhaps an instance of another version.
        let validators = self.validators(doc! { "name": layout.collection }).await?;
        match validators.get(layout.collection) {
            Some(validator) => self.update_validator(layout, validator).await,
            None => Ok(()),
        }
    }

    /// Updates the validator of a collection if it differs. It isn't set at every start, because that locks the
    /// collection and needs more rights than using it.
    async fn update_validator(&self, layout: &Layout, current: &Document) -> Result<(), StoreError> {
        if *current != layout.validator {
            let change = doc! { "collMod": layout.collection, "validator": layout.validator.clone() };
            self.connection.database.run_command(change).await?;
        }
        Ok(())
    }

    /// Returns the wanted indexes for which the collection has no equal one. This includes indexes that exist with
    /// another definition. The server refuses to create those, since it never replaces an index by another one of the
    /// same name.
    async fn missing_indexes(&self, layout: Layout) -> Result<Vec<IndexModel>, StoreError> {
        let mut wanted = layout.indexes;
        if wanted.is_empty() {
            return Ok(wanted);
        }
        let list = self.connection.database.run_cursor_command(doc! { "listIndexes": layout.collection });
        let documents: Vec<Document> = list.await?.try_collect().await?;
        // Indexes that somebody added by hand may have options that this version can't read; they are ignored.
        let read = |document| bson::deserialize_from_document(document).and_then(|index| comparable_bytes(&index)).ok();
        let existing: Vec<Vec<u8>> = documents.into_iter().filter_map(read).collect();
        wanted.retain(|index| !comparable_bytes(index).is_ok_and(|bytes| existing.contains(&bytes)));
        Ok(wanted)
    }
}

/// Returns an index as bytes, by which two indexes are compared. `Document`s can't be compared for this, since they are
/// equal even if their fields have another order, which matters for an index.
///
/// A text index is changed to the form in which MongoDB stores it: `{ name: "text" }` becomes the keys
/// `{ _fts: "text", _ftsx: 1 }` and the weights `{ name: 1 }`.
fn comparable_bytes(index: &IndexModel) -> bson::error::Result<Vec<u8>> {
    let mut index = index.clone();
    let options = index.options.get_or_insert_default();
    (options.version, options.text_index_version) = (None, None);
    let (text, keys): (Document, Document) =
        index.keys.into_iter().partition(|(field, kind)| field != "_fts" && kind.as_str() == Some("text"));
    index.keys = keys;
    if !text.is_empty() {
        index.keys.extend(doc! { "_fts": "text", "_ftsx": 1 });
        let fields: BTreeSet<String> = text.into_iter().map(|(field, _)| field).collect();
        options.weights.get_or_insert_with(|| fields.into_iter().map(|field| (field, Bson::Int32(1))).collect());
    }
    bson::serialize_to_vec(&index)
}
