//! The change stream of `products`. It tells when the stock of a product may have fallen or a product is gone (U4).

use std::{collections::BTreeSet, time::Duration};

use bson::{Bson, Document, doc};
use mongodb::{Collection, change_stream::ChangeStream, error::Error};
use serde::Deserialize;
use tokio::{sync::mpsc, time::timeout};

use crate::{
    catalogue::store::PRODUCTS,
    db::{
        StoreError, brief,
        error::code_of,
        position::Position,
        schema::{Connection, StorePart},
    },
    values::ids::ProductId,
};

/// How long the server waits for a change before it answers that there is none.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// How many answers of the server are read ahead, and the most products of one batch.
const READ_AHEAD: usize = 1_000;
/// Codes of errors after which a stream cannot continue where it stopped: CappedPositionLost, InvalidResumeToken,
/// ChangeStreamFatalError, ChangeStreamHistoryLost.
const HISTORY_LOST: [i32; 4] = [136, 260, 280, 286];

/// The changes since the batch before.
#[derive(Debug, Default)]
pub struct Batch {
    /// Products whose change may concern carts. Their current state must be read.
    pub products: BTreeSet<ProductId>,
    /// The place in the stream right after the batch; `None` if the server has not answered since the batch before.
    pub position: Option<Position>,
}

/// Why the stream does not continue.
#[derive(Debug, thiserror::Error)]
pub enum Interrupted {
    /// It cannot continue where it stopped, so changes may have been missed.
    #[error("{0}")]
    Lost(String),
    /// The database could not answer. The stream may continue from the last position.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The open stream. A task reads it ahead, so that changes which wait together are handled together.
#[derive(Debug)]
pub struct ProductChanges {
    answers: mpsc::Receiver<Result<Answer, Interrupted>>,
}

/// An answer of the server, with one change at most.
#[derive(Debug)]
struct Answer {
    product: Option<ProductId>,
    position: Option<Position>,
}

/// An event, with the only field that is needed.
#[derive(Debug, Deserialize)]
struct ChangeEvent {
    #[serde(rename = "documentKey")]
    key: Option<DocumentKey>,
}

#[derive(Debug, Deserialize)]
struct DocumentKey {
    /// Another program may have stored a document with an id of any type. Carts hold only products with an `ObjectId`,
    /// so other ids are skipped.
    #[serde(rename = "_id")]
    id: Bson,
}

/// The collection whose changes can be followed.
#[derive(Clone)]
pub struct ProductWatch {
    docs: Collection<Document>,
}

impl StorePart for ProductWatch {
    fn open(connection: &Connection) -> Self {
        Self { docs: connection.collection(PRODUCTS) }
    }
}

impl ProductWatch {
    /// Opens the stream at a position, or at this moment for `None`.
    pub(in crate::carts) async fn open(&self, from: Option<&Position>) -> Result<ProductChanges, Interrupted> {
        // The copies of the product in the event are not needed. When the event is handled, the current product is
        // read.
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
        let reason = if from.is_some() { interruption_at_position } else { interruption };
        let stream = watch.await.map_err(reason)?;
        let (sender, answers) = mpsc::channel(READ_AHEAD);
        tokio::spawn(read_ahead(stream.with_type(), sender));
        Ok(ProductChanges { answers })
    }
}

impl ProductChanges {
    /// Returns the changes that have been read, and waits up to `wait` for the first answer of the server.
    ///
    /// The batch is empty if none came in that time, or if the server answered that nothing has changed.
    pub async fn next_batch(&mut self, wait: Duration) -> Result<Batch, Interrupted> {
        let mut batch = Batch::default();
        let Ok(first) = timeout(wait, self.answers.recv()).await else { return Ok(batch) };
        batch.add(first.unwrap_or_else(|| Err(stream_ended()))?);
        while batch.products.len() < READ_AHEAD
            && let Ok(next) = self.answers.try_recv()
        {
            batch.add(next?);
        }
        Ok(batch)
    }
}

impl Batch {
    /// Adds an answer of the server.
    fn add(&mut self, answer: Answer) {
        self.products.extend(answer.product);
        self.position = answer.position.or(self.position.take());
    }
}

/// Reads until the receiver is dropped or the stream breaks. Dropping the stream closes its cursor on the server.
async fn read_ahead(mut stream: ChangeStream<ChangeEvent>, sender: mpsc::Sender<Result<Answer, Interrupted>>) {
    loop {
        let event = tokio::select! {
            event = stream.next_if_any() => event,
            () = sender.closed() => return,
        };
        let answer = match event {
            Ok(None) if !stream.is_alive() => Err(stream_ended()),
            Ok(event) => {
                let position = stream.resume_token().map(Position);
                Ok(Answer { product: event.and_then(changed_product), position })
            }
            Err(error) => Err(interruption(error)),
        };
        let is_last = answer.is_err();
        if sender.send(answer).await.is_err() || is_last {
            return;
        }
    }
}

/// Returns the product that an event names; `None` if it names none that a cart can hold.
fn changed_product(event: ChangeEvent) -> Option<ProductId> {
    Some(event.key?.id.as_object_id()?.bytes().into())
}

fn stream_ended() -> Interrupted {
    Interrupted::Lost("the collection was dropped or renamed".to_owned())
}

fn interruption(error: Error) -> Interrupted {
    if code_of(&error).is_some_and(|code| HISTORY_LOST.contains(&code)) {
        return Interrupted::Lost(brief(&error));
    }
    Interrupted::Store(error.into())
}

/// Turns an error at a stored position into the reason for the interruption.
///
/// A position that the server refuses is of no use, whatever the reason. If the cause is a different one, opening the
/// stream without the position will fail as well and report it.
fn interruption_at_position(error: Error) -> Interrupted {
    let reason = brief(&error);
    match StoreError::from(error) {
        error @ StoreError::Unavailable(_) => Interrupted::Store(error),
        _ => Interrupted::Lost(reason),
    }
}
