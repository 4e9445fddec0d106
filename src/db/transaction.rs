//! Transactions: retried while the database asks for it, for five seconds at most.

use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use mongodb::{
    Client, ClientSession,
    error::{Error, Result, TRANSIENT_TRANSACTION_ERROR, UNKNOWN_TRANSACTION_COMMIT_RESULT},
    options::{ReadConcern, TransactionOptions},
};

use super::StoreError;

/// The driver's own helper would go on for two minutes; a caller has left by then.
const RETRY_LIMIT: Duration = Duration::from_secs(5);

/// Like [`transact`] in a session of the caller's, and all that `body` reads is of one moment and known to a majority
/// of the servers.
pub async fn transact_on_snapshot<T, F>(session: &mut ClientSession, body: F) -> std::result::Result<T, StoreError>
where
    F: for<'s> FnMut(&'s mut ClientSession) -> BoxFuture<'s, Result<T>> + Send,
{
    let options = TransactionOptions::builder().read_concern(ReadConcern::snapshot()).build();
    transact_in(session, options, body).await
}

/// Runs `body` in a transaction and commits it. `body` may run several times, so nothing outside the database belongs
/// into it, and it must hand on the driver's errors untouched: their labels say whether to try again.
pub async fn transact<T, F>(client: &Client, body: F) -> std::result::Result<T, StoreError>
where
    F: for<'s> FnMut(&'s mut ClientSession) -> BoxFuture<'s, Result<T>> + Send,
{
    transact_in(&mut client.start_session().await?, TransactionOptions::default(), body).await
}

async fn transact_in<T, F>(
    session: &mut ClientSession,
    options: TransactionOptions,
    mut body: F,
) -> std::result::Result<T, StoreError>
where
    F: for<'s> FnMut(&'s mut ClientSession) -> BoxFuture<'s, Result<T>> + Send,
{
    let started = Instant::now();
    let mut pause = Duration::from_millis(5);
    loop {
        session.start_transaction().with_options(options.clone()).await?;
        let outcome = match body(session).await {
            Ok(value) => commit(session, started).await.map(|()| value),
            Err(error) => {
                // The server has aborted already, or will when the session ends; the first error is the one that counts.
                let _aborted = session.abort_transaction().await;
                Err(error)
            }
        };
        match outcome {
            Err(error) if may_retry(&error, TRANSIENT_TRANSACTION_ERROR, started) => {
                tokio::time::sleep(pause.mul_f64(random_share())).await;
                pause = (pause * 2).min(Duration::from_millis(200));
            }
            outcome => return outcome.map_err(StoreError::from),
        }
    }
}

/// A share of a pause, so that those who lost together don't meet again.
fn random_share() -> f64 {
    getrandom::u32().map_or(1.0, |n| f64::from(n) / f64::from(u32::MAX))
}

async fn commit(session: &mut ClientSession, started: Instant) -> Result<()> {
    loop {
        match session.commit_transaction().await {
            Err(error) if may_retry(&error, UNKNOWN_TRANSACTION_COMMIT_RESULT, started) => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            outcome => return outcome,
        }
    }
}

fn may_retry(error: &Error, label: &str, started: Instant) -> bool {
    error.contains_label(label) && started.elapsed() < RETRY_LIMIT
}
