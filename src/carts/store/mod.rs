//! The carts inside the accounts, and the plans by which they share a stock.
//!
//! Carts are stored in the collection `users`, whose layout `accounts` declares.

pub mod cart;
pub mod lines;
pub mod plans;
pub mod stock_changes;

use bson::Document;
use mongodb::Collection;

pub use self::{
    cart::{PutLimits, PutOutcome, QuantityChange, RemovalOutcome},
    lines::HeldLine,
};
use crate::{
    accounts::store::USERS,
    db::schema::{Connection, StorePart},
};

/// The carts of all accounts.
#[derive(Clone)]
pub struct Carts {
    connection: Connection,
    docs: Collection<Document>,
}

impl StorePart for Carts {
    fn open(connection: &Connection) -> Self {
        Self { connection: connection.clone(), docs: connection.collection(USERS) }
    }
}
