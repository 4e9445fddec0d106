//! What collections need before they are used, and how it is brought about: a start on a database that has all of it reads
//! and changes nothing.

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
/// How long a start waits for a primary,
const START_LIMIT: Duration = Duration::from_secs(10);
/// and after how long it asks again.
const START_PAUSE: Duration = Duration::from_millis(200);
/// Collections that are looked at together: more at once would only open more connections.
const AT_ONCE: usize = 4;

impl Store {
    /// Makes collections, validators and indexes where they are missing or have changed.
    pub async fn prepare(&self) -> Result<(), StoreError> {
        self.refuse_standalone().await?;
        let found = &self.validators(doc! {}).await?;
        let lay_out = |layout: Layout| self.lay_out(layout, found);
        stream::iter(Self::layouts()).map(lay_out).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        self.complete().await
    }

    /// Transactions need a replica set (or a sharded cluster); a standalone mongod would fail at the first of them.
    async fn refuse_standalone(&self) -> Result<(), StoreError> {
        let hello = self.hello().await?;
        if hello.contains_key("setName") || hello.get_str("msg").is_ok_and(|msg| msg == "isdbgrid") {
            return Ok(());
        }
        Err(StoreError::Standalone)
    }

    /// What the database says of itself. One that starts at the same moment may need a while for its election.
    async fn hello(&self) -> Result<Document, StoreError> {
        let deadline = Instant::now() + START_LIMIT;
        loop {
            match self.connection.database.run_command(doc! { "hello": 1 }).await.map_err(StoreError::from) {
                Err(StoreError::Unavailable(_)) if Instant::now() < deadline => tokio::time::sleep(START_PAUSE).await,
                outcome => return outcome,
            }
        }
    }

    /// The validators of the collections that there are, by their names.
    async fn validators(&self, filter: Document) -> Result<HashMap<String, Document>, StoreError> {
        let found = self.connection.database.list_collections().filter(filter).await?;
        let named = found.map_ok(|found| (found.name, found.options.validator.unwrap_or_default()));
        Ok(named.try_collect().await?)
    }

    async fn lay_out(&self, layout: Layout, found: &HashMap<String, Document>) -> Result<(), StoreError> {
        let name = layout.collection;
        let missing = match found.get(name) {
            Some(validator) => {
                self.update_validator(&layout, validator).await?;
                self.missing_indexes(layout).await?
            }
            None => {
                self.create(&layout).await?;
                layout.indexes
            }
        };
        if missing.is_empty() {
            return Ok(());
        }
        let made = self.connection.database.collection::<Document>(name).create_indexes(missing).await;
        made.inspect_err(|_| tracing::error!(collection = name, "an index that the shop needs can't be made"))?;
        Ok(())
    }

    /// Collections are made before they are used: making one inside concurrent transactions conflicts.
    async fn create(&self, layout: &Layout) -> Result<(), StoreError> {
        let made =
            self.connection.database.create_collection(layout.collection).validator(layout.validator.clone()).await;
        if !made.as_ref().is_err_and(|error| error::code_of(error) == Some(NAMESPACE_EXISTS)) {
            return Ok(made?);
        }
        // Another instance was faster, perhaps one of another version.
        let found = self.validators(doc! { "name": layout.collection }).await?;
        match found.get(layout.collection) {
            Some(validator) => self.update_validator(layout, validator).await,
            None => Ok(()),
        }
    }

    /// Changing a validator locks the collection and needs more rights than using it: only where it differs.
    async fn update_validator(&self, layout: &Layout, found: &Document) -> Result<(), StoreError> {
        if *found != layout.validator {
            let change = doc! { "collMod": layout.collection, "validator": layout.validator.clone() };
            self.connection.database.run_command(change).await?;
        }
        Ok(())
    }

    /// The wanted indexes that aren't there just like that. One that differs is among them, so that the server refuses it:
    /// it never replaces an index by another one of the same name.
    async fn missing_indexes(&self, layout: Layout) -> Result<Vec<IndexModel>, StoreError> {
        let mut wanted = layout.indexes;
        if wanted.is_empty() {
            return Ok(wanted);
        }
        let list = self.connection.database.run_cursor_command(doc! { "listIndexes": layout.collection });
        let found: Vec<Document> = list.await?.try_collect().await?;
        // What somebody added by hand need not be anything that this version can read.
        let read = |found| bson::deserialize_from_document(found).and_then(|index| described(&index)).ok();
        let found: Vec<Vec<u8>> = found.into_iter().filter_map(read).collect();
        wanted.retain(|index| !described(index).is_ok_and(|index| found.contains(&index)));
        Ok(wanted)
    }
}

/// An index in bytes, which tell the order of its fields as well. MongoDB names fields of text apart from their index.
fn described(index: &IndexModel) -> bson::error::Result<Vec<u8>> {
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
