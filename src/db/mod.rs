//! What the stores of all subjects need: layouts of collections, transactions, leases, locks, errors, and the state of
//! the database.

pub mod bulk;
pub mod error;
pub mod health;
pub mod leases;
pub mod locks;
pub mod position;
pub mod probe;
pub mod query;
pub mod schema;
pub mod transaction;

pub use self::{
    error::{StoreError, brief},
    health::Health,
};
