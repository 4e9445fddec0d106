//! The change stream of `products`, for whoever must act when stock may have fallen or a product goes (U4).

use std::{collections::BTreeSet, time::Duration};

use bson::{Bson, Document, doc};
use mongodb::{Collection, change_stream::ChangeStream, error::Error};
use serde::Deserialize;
use tokio::{sync::mpsc, time::timeout};

use crate::{
    db::position::Position,
    db::schema::{Connection, StorePart},
    db::{StoreError, brief, error::code_of},
    values::ids::ProductId,
};

/// How long the server lets one question for changes wait.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// Changes that are read ahead, and the most that one batch has.
const READ_AHEAD: usize = 1_000;
/// Codes of a stream that can't go on from where it stood: CappedPositionLost, InvalidResumeToken,
/// ChangeStreamFatalError, ChangeStreamHistoryLost.
const HISTORY_LOST: [i32; 4] = [136, 260, 280, 286];

/// What happened since the last batch.
#[derive(Debug, Default)]
pub struct Batch {
    /// Products that have changed in a way that may concern carts. What they are like now must be read.
    pub products: BTreeSet<ProductId>,
    /// The end of the batch.
    pub position: Option<Position>,
}

/// Why the stream doesn't go on.
#[derive(Debug, thiserror::Error)]
pub enum Interrupted {
    /// It can't go on from where it stood: nobody knows what was missed.
    #[error("{0}")]
    Lost(String),
    /// It may go on, from the last position.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The stream, read ahead by a task of its own, so that events which wait together are handled together.
#[derive(Debug)]
pub struct ProductChanges {
    read: mpsc::Receiver<Result<Read, Interrupted>>,
}

/// One answer of the server: at most one change.
#[derive(Debug)]
struct Read {
    product: Option<ProductId>,
    position: Option<Position>,
}

/// An event, as far as it is asked for.
#[derive(Debug, Deserialize)]
struct Change {
    #[serde(rename = "documentKey")]
    key: Option<Key>,
}

#[derive(Debug, Deserialize)]
struct Key {
    /// Some id that somebody gave a document by hand is nothing that a cart could hold.
    #[serde(rename = "_id")]
    id: Bson,
}

/// Where the stream is opened.
#[derive(Clone)]
pub struct ProductWatch {
    docs: Collection<Document>,
}

impl StorePart for ProductWatch {
    fn open(connection: &Connection) -> Self {
        Self { docs: connection.collection("products") }
    }
}

impl ProductWatch {
    /// Opens the stream at a position, or at this moment.
    pub async fn open(&self, from: Option<&Position>) -> Result<ProductChanges, Interrupted> {
        // The event's own copies are never looked at: only what the product is like when it is handled counts.
        let pipeline = [
            doc! { "$match": { "$or": [
                { "operationType": "update", "updateDescription.updatedFields.stock": { "$exists": true } },
                { "operationType": { "$in": ["replace", "delete", "drop", "rename", "dropDatabase", "invalidate"] } },
            ] } },
            doc! { "$project": { "_id": 1, "operationType": 1, "documentKey": 1 } },
        ];
        let mut watch = self.docs.watch().pipeline(pipeline).max_await_time(LONGEST_WAIT);
        if let Some(position) = from {
            watch = watch.resume_after(position.0.clone());
        }
        let opened = watch.await;
        let stream = opened.map_err(|error| if from.is_some() { at_reopening(error) } else { interrupted(error) })?;
        let (send, read) = mpsc::channel(READ_AHEAD);
        tokio::spawn(read_ahead(stream.with_type(), send));
        Ok(ProductChanges { read })
    }
}

impl ProductChanges {
    /// What has happened; waits so long for the first change.
    pub async fn next_batch(&mut self, wait: Duration) -> Result<Batch, Interrupted> {
        let mut batch = Batch::default();
        let Ok(first) = timeout(wait, self.read.recv()).await else { return Ok(batch) };
        batch.take(first.unwrap_or_else(|| Err(over()))?);
        while batch.products.len() < READ_AHEAD
            && let Ok(next) = self.read.try_recv()
        {
            batch.take(next?);
        }
        Ok(batch)
    }
}

impl Batch {
    fn take(&mut self, read: Read) {
        self.products.extend(read.product);
        self.position = read.position.or(self.position.take());
    }
}

/// Reads until nobody listens any more. Dropping the stream closes its cursor.
async fn read_ahead(mut stream: ChangeStream<Change>, send: mpsc::Sender<Result<Read, Interrupted>>) {
    loop {
        let next = tokio::select! {
            next = stream.next_if_any() => next,
            () = send.closed() => return,
        };
        let read = match next {
            Ok(None) if !stream.is_alive() => Err(over()),
            Ok(change) => Ok(Read {
                product: change
                    .and_then(|change| change.key)
                    .and_then(|key| key.id.as_object_id())
                    .map(|id| id.bytes().into()),
                position: stream.resume_token().map(Position),
            }),
            Err(error) => Err(interrupted(error)),
        };
        let goes_on = read.is_ok();
        if send.send(read).await.is_err() || !goes_on {
            return;
        }
    }
}

fn over() -> Interrupted {
    Interrupted::Lost("the collection was dropped or renamed".to_owned())
}

fn interrupted(error: Error) -> Interrupted {
    if code_of(&error).is_some_and(|code| HISTORY_LOST.contains(&code)) {
        return Interrupted::Lost(brief(&error));
    }
    Interrupted::Store(error.into())
}

/// A position that the server refuses for whatever reason is of no use; if it was something else, opening the stream
/// without it fails as well.
fn at_reopening(error: Error) -> Interrupted {
    let reason = brief(&error);
    match StoreError::from(error) {
        error @ StoreError::Unavailable(_) => Interrupted::Store(error),
        _ => Interrupted::Lost(reason),
    }
}
