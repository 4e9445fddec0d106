//! How stores reach the database: the connection, the parts of the store, and the layout that each collection declares.

use std::time::Duration;

use super::StoreError;
use bson::{Document, doc};
use mongodb::{
    Client, Collection, Database, IndexModel,
    options::{CollectionOptions, IndexOptions},
};

/// The shop's database, and the pool of connections to it.
#[derive(Clone)]
pub struct Connection {
    /// The pool of connections; transactions start their sessions on it.
    pub client: Client,
    /// The shop's database.
    pub database: Database,
}

impl Connection {
    /// Returns a handle for a collection, without asking the database.
    #[allow(clippy::disallowed_methods, reason = "the one place where collections are opened")]
    pub fn collection<T: Send + Sync>(&self, name: &str) -> Collection<T> {
        self.database.collection(name)
    }

    /// Returns a collection of the shop with options of its own. Nothing is sent.
    #[allow(clippy::disallowed_methods, reason = "the one place where collections are opened")]
    pub fn collection_with<T: Send + Sync>(&self, name: &str, options: CollectionOptions) -> Collection<T> {
        self.database.collection_with_options(name, options)
    }
}

/// A part of the database that belongs to one subject. The list `collections!` in `store.rs` names those
/// that flows use; some stores hold parts of their own.
pub trait StorePart: Sized {
    /// Creates a handle, without asking the database.
    fn open(connection: &Connection) -> Self;

    /// Returns the layout of the collection that this part declares; `None` if it uses collections of other parts.
    fn layout() -> Option<Layout> {
        None
    }

    /// Updates documents of older versions, and creates documents that must exist. It is called at each start, after
    /// all collections are created, so it must change nothing the second time.
    fn complete(&self) -> impl Future<Output = Result<(), StoreError>> + Send {
        async { Ok(()) }
    }
}

/// What a collection needs before it is used.
pub struct Layout {
    /// Name of the collection.
    pub collection: &'static str,
    /// Indexes, without the one of `_id`, which every collection has.
    pub indexes: Vec<IndexModel>,
    /// The condition that the server checks for each document that is written; empty for none.
    pub validator: Document,
}

/// Returns a unique index called `name`.
pub fn unique(name: &str, keys: Document) -> IndexModel {
    let options = IndexOptions::builder().name(name.to_owned()).unique(true).build();
    IndexModel::builder().keys(keys).options(options).build()
}

/// Returns an index by which MongoDB removes documents once `after` has passed since their `expires_at`. MongoDB does
/// so with some delay, so queries must still compare `expires_at` with the shop's clock.
pub fn swept(after: Duration) -> IndexModel {
    let options = IndexOptions::builder().name("expires_at".to_owned()).expire_after(after).build();
    IndexModel::builder().keys(doc! { "expires_at": 1 }).options(options).build()
}

/// Returns an index called `name` that isn't unique.
pub fn index(name: &str, keys: Document) -> IndexModel {
    let options = IndexOptions::builder().name(name.to_owned()).build();
    IndexModel::builder().keys(keys).options(options).build()
}
