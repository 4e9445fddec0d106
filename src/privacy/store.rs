//! The deletion of everything that is kept about an account, in one transaction.

use futures_util::FutureExt;
use mongodb::Client;

use crate::{
    accounts::store::{Credentials, Users},
    db::{
        StoreError,
        schema::{Connection, StorePart},
        transaction::transact,
    },
    values::time::Timestamp,
};

/// The stores of all subjects that keep something about an account.
#[derive(Clone)]
pub struct Deletions {
    client: Client,
    users: Users,
}

impl StorePart for Deletions {
    fn open(connection: &Connection) -> Self {
        Self { client: connection.client.clone(), users: Users::open(connection) }
    }
}

impl Deletions {
    /// Deletes an account, as its password was checked. Returns `false`, and deletes nothing, when the password has
    /// changed since, or when the account was disabled or is an admin's.
    pub(super) async fn delete(&self, confirmed: &Credentials, now: Timestamp) -> Result<bool, StoreError> {
        transact(&self.client, (self, confirmed), move |tx, &(stores, confirmed)| {
            // A subject with documents of its own about accounts deletes them here as well.
            async move { stores.users.delete_in(tx, confirmed.account.id, &confirmed.password_hash, now).await }.boxed()
        })
        .await
    }
}
