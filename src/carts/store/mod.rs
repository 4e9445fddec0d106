//! The carts inside the accounts, and the plans that share a stock out among them. The documents are those of the
//! collection `users`, which `accounts` declares.

pub mod cart;
pub mod lines;
pub mod plans;
pub mod stock_changes;

use bson::Document;
use mongodb::{Client, Collection};

pub use self::{
    cart::{Put, PutLimits, Removed, Wanted},
    lines::HeldLine,
};
use crate::{
    accounts::USERS,
    db::schema::{Connection, StorePart},
};

/// The carts.
#[derive(Clone)]
pub struct Carts {
    client: Client,
    docs: Collection<Document>,
}

impl StorePart for Carts {
    fn open(connection: &Connection) -> Self {
        Self { client: connection.client.clone(), docs: connection.collection(USERS) }
    }
}
