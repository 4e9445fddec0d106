//! Whether the database answers, asked on a connection of its own: calls that wait for theirs don't make this server look
//! unfit, which would send everybody to the others.

use std::time::{Duration, Instant};

use bson::doc;
use mongodb::{Client, options::ClientOptions};
use tokio::sync::Mutex;

use super::StoreError;

/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(1);
/// Who asks again within this gets the same answer, so that nobody can make the database answer all day.
const KEPT: Duration = Duration::from_millis(200);

/// A connection for nothing but the question.
pub struct Probe {
    client: Client,
    database: String,
    last: Mutex<Option<(Instant, Result<(), StoreError>)>>,
}

impl Probe {
    /// A client like the other one, with one connection.
    pub fn new(options: &ClientOptions, database: &str) -> Result<Self, StoreError> {
        let mut options = options.clone();
        options.max_pool_size = Some(1);
        options.min_pool_size = Some(0);
        options.server_selection_timeout = Some(LIMIT);
        options.cmap_event_handler = None;
        options.sdam_event_handler = None;
        Ok(Self { client: Client::with_options(options)?, database: database.to_owned(), last: Mutex::new(None) })
    }

    /// Asks, or repeats what was answered a moment ago.
    pub async fn ask(&self) -> Result<(), StoreError> {
        let mut last = self.last.lock().await;
        if let Some((at, answer)) = &*last
            && at.elapsed() < KEPT
        {
            return answer.clone();
        }
        let database = self.client.database(&self.database);
        let ping = database.run_command(doc! { "ping": 1 }).into_future();
        let answer = match tokio::time::timeout(LIMIT, ping).await {
            Ok(answer) => answer.map(drop).map_err(StoreError::from),
            Err(_) => Err(StoreError::silent()),
        };
        *last = Some((Instant::now(), answer.clone()));
        answer
    }

    /// Closes its connection.
    pub async fn close(&self) {
        self.client.clone().shutdown().await;
    }
}
