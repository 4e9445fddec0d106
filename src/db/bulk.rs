//! Many updates in one command. Sent one by one, the updates would take most of the time of the work around them. The
//! driver's own bulk write needs MongoDB 8, so this module sends the `update` command itself.

use bson::{Document, doc};
use mongodb::{ClientSession, error::Result};
use serde::Deserialize;

use super::schema::Connection;

/// The server's answer to the `update` command, reduced to the fields that callers need.
#[derive(Deserialize)]
pub struct BulkResult {
    /// Number of documents that the updates matched.
    pub n: i64,
    /// Updates that the server refused; empty if it refused none.
    #[serde(default, rename = "writeErrors")]
    pub errors: Vec<WriteRefusal>,
    /// The error of the write concern: the updates were made, but they may be lost in a failover.
    #[serde(rename = "writeConcernError")]
    pub concern: Option<WriteRefusal>,
}

/// An error that the server reports inside a successful answer.
#[derive(Deserialize)]
pub struct WriteRefusal {
    /// MongoDB's error code.
    pub code: i32,
}

/// Sends all `updates` in one command, outside a transaction. Each is a document with its filter `q` and its update
/// `u`. If the server refuses one of them, it still makes the others; see [`BulkResult::errors`].
pub async fn update_each(connection: &Connection, collection: &str, updates: Vec<Document>) -> Result<BulkResult> {
    // `run_command` doesn't apply the client's write concern, so the command states it.
    let command = doc! { "update": collection, "updates": updates, "ordered": false,
    "writeConcern": { "w": "majority", "j": true } };
    let answer = connection.database.run_command(command).await?;
    Ok(bson::deserialize_from_document(answer)?)
}

/// Sends all `updates` in one command inside the transaction `tx`. The first update that the server refuses aborts the
/// transaction.
pub async fn update_each_in(
    tx: &mut ClientSession,
    connection: &Connection,
    collection: &str,
    updates: Vec<Document>,
) -> Result<BulkResult> {
    let answer = connection.database.run_command(doc! { "update": collection, "updates": updates }).session(tx).await?;
    Ok(bson::deserialize_from_document(answer)?)
}
