//! Many updates in one command: one by one they take most of the time. (The driver's own bulk write needs a server of
//! version 8.)

use bson::{Document, doc};
use mongodb::{ClientSession, Database, error::Result};
use serde::Deserialize;

/// What such a command answers, as far as it matters here.
#[derive(Deserialize)]
pub struct Updated {
    /// How many updates found their document.
    pub n: i64,
    /// Those that the server refused.
    #[serde(default, rename = "writeErrors")]
    pub errors: Vec<Refused>,
    /// Why it isn't sure that all of it stays.
    #[serde(rename = "writeConcernError")]
    pub concern: Option<Refused>,
}

/// An update that the server refused.
#[derive(Deserialize)]
pub struct Refused {
    /// The server's code.
    pub code: i32,
}

/// Carries out all of `updates`, each with its filter `q` and its update `u`; what is refused keeps no other from being
/// done.
pub async fn update_each(database: &Database, collection: &str, updates: Vec<Document>) -> Result<Updated> {
    // A command by itself doesn't take over what the client says of acknowledging.
    let command = doc! { "update": collection, "updates": updates, "ordered": false,
    "writeConcern": { "w": "majority", "j": true } };
    let answer = database.run_command(command).await?;
    Ok(bson::deserialize_from_document(answer)?)
}

/// The same in a transaction, where the first refusal ends it.
pub async fn update_each_in(
    tx: &mut ClientSession,
    database: &Database,
    collection: &str,
    updates: Vec<Document>,
) -> Result<Updated> {
    let answer = database.run_command(doc! { "update": collection, "updates": updates }).session(tx).await?;
    Ok(bson::deserialize_from_document(answer)?)
}
