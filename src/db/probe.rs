//! The check of whether the database answers, for health checks. It uses a connection of its own: when all connections
//! of the pool are busy, this server must not look broken, since a load balancer would then send all its calls to the
//! other servers.

use std::time::{Duration, Instant};

use bson::doc;
use mongodb::{Client, options::ClientOptions};
use tokio::sync::Mutex;

use super::StoreError;

/// Time within which the database must answer.
const LIMIT: Duration = Duration::from_secs(1);
/// Time for which an answer is reused, so that frequent health checks don't load the database.
const REUSE_TIME: Duration = Duration::from_millis(200);

/// A client with one connection that is used for health checks only.
pub struct Probe {
    client: Client,
    database: String,
    last: Mutex<Option<(Instant, Result<(), StoreError>)>>,
}

impl Probe {
    /// Creates a client with the same options as the main one, but one connection and no event handlers. Fails if the
    /// options are invalid. Doesn't wait for the database.
    pub fn new(options: &ClientOptions, database: &str) -> Result<Self, StoreError> {
        let mut probe_options = options.clone();
        probe_options.max_pool_size = Some(1);
        probe_options.min_pool_size = Some(0);
        probe_options.server_selection_timeout = Some(LIMIT);
        probe_options.cmap_event_handler = None;
        probe_options.sdam_event_handler = None;
        Ok(Self { client: Client::with_options(probe_options)?, database: database.to_owned(), last: Mutex::new(None) })
    }

    /// Pings the database, or repeats the answer of the last 200 ms. Fails with [`StoreError::Unavailable`] after a
    /// second without an answer. Of several calls at once, one pings, and the others wait for its answer.
    pub async fn ask(&self) -> Result<(), StoreError> {
        let mut last = self.last.lock().await;
        if let Some((at, answer)) = &*last
            && at.elapsed() < REUSE_TIME
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

    /// Closes the connection.
    pub async fn close(&self) {
        self.client.clone().shutdown().await;
    }
}
