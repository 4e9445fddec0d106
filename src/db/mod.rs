//! What the stores of all subjects need: the form of a collection, transactions, leases, locks and errors.
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
