//! What a collection needs before it is used: its indexes and its validator.

use std::time::Duration;

use bson::{Document, doc};
use mongodb::{Client, Collection, Database, IndexModel, options::IndexOptions};

/// The shop's database, and the pool of connections to it.
#[derive(Clone)]
pub struct Connection {
    /// The pool, which transactions take their sessions from.
    pub client: Client,
    /// The database.
    pub database: Database,
}

impl Connection {
    /// A collection of the shop. Nothing is sent.
    pub fn collection<T: Send + Sync>(&self, name: &str) -> Collection<T> {
        self.database.collection(name)
    }
}

/// A part of the database that belongs to one subject. The list `collections!` in `store.rs` names all of them.
pub trait StorePart: Sized {
    /// Makes a handle. Nothing is sent.
    fn open(connection: &Connection) -> Self;

    /// The collection that this part declares; `None` if it uses collections that other parts declare.
    fn layout() -> Option<Layout> {
        None
    }
}

/// What a collection needs before it is used.
pub struct Layout {
    /// The collection's name.
    pub collection: &'static str,
    /// Its indexes, beside the one of `_id`.
    pub indexes: Vec<IndexModel>,
    /// What the server checks of each document; empty for nothing.
    pub validator: Document,
}

/// A unique index with a name of its own.
pub fn unique(name: &str, keys: Document) -> IndexModel {
    let options = IndexOptions::builder().name(name.to_owned()).unique(true).build();
    IndexModel::builder().keys(keys).options(options).build()
}

/// Has documents removed `after` their `expires_at`. Queries compare with the shop's clock: this only sweeps.
pub fn swept(after: Duration) -> IndexModel {
    let options = IndexOptions::builder().name("expires_at".to_owned()).expire_after(after).build();
    IndexModel::builder().keys(doc! { "expires_at": 1 }).options(options).build()
}

/// A plain index with a name of its own.
pub fn index(name: &str, keys: Document) -> IndexModel {
    let options = IndexOptions::builder().name(name.to_owned()).build();
    IndexModel::builder().keys(keys).options(options).build()
}
