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
    idempotency::store::IdempotencyKeys,
    values::time::Timestamp,
};

/// The stores of all subjects that keep something about an account.
#[derive(Clone)]
pub struct Deletions {
    client: Client,
    users: Users,
    idempotency_keys: IdempotencyKeys,
}

impl StorePart for Deletions {
    fn open(connection: &Connection) -> Self {
        Self {
            client: connection.client.clone(),
            users: Users::open(connection),
            idempotency_keys: IdempotencyKeys::open(connection),
        }
    }
}

impl Deletions {
    /// Deletes an account, as its password was checked. Returns `false`, and deletes nothing, when the password has
    /// changed since, or when the account was disabled or is an admin's.
    pub(super) async fn delete(&self, confirmed: &Credentials, now: Timestamp) -> Result<bool, StoreError> {
        transact(&self.client, (self, confirmed), move |tx, &(stores, confirmed)| {
            // A subject with documents of its own about accounts deletes them here as well.
            async move {
                let account = confirmed.account.id;
                let is_deleted = stores.users.delete_in(tx, account, &confirmed.password_hash, now).await?;
                if is_deleted {
                    stores.idempotency_keys.delete_of_in(tx, account).await?;
                }
                Ok(is_deleted)
            }
            .boxed()
        })
        .await
    }
}
