//! Transactions. One that fails is started again while the database says that this may help, until five seconds have
//! passed since the first start.

use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use mongodb::{
    Client, ClientSession,
    error::{Error, Result, TRANSIENT_TRANSACTION_ERROR, UNKNOWN_TRANSACTION_COMMIT_RESULT},
    options::{ReadConcern, TransactionOptions},
};

use super::StoreError;

/// Time after which a transaction is not started again. The driver's own helper would retry for two minutes, and by
/// then the caller has given up.
const RETRY_LIMIT: Duration = Duration::from_secs(5);

/// Runs `body` like [`transact`], but in a session of the caller and with read concern `snapshot`: all reads of `body`
/// show the data of one moment, which a majority of the servers has.
pub async fn transact_on_snapshot<C, T, F>(
    session: &mut ClientSession,
    captures: C,
    body: F,
) -> std::result::Result<T, StoreError>
where
    C: Send + Sync,
    F: for<'s> FnMut(&'s mut ClientSession, &'s C) -> BoxFuture<'s, Result<T>> + Send,
{
    let options = TransactionOptions::builder().read_concern(ReadConcern::snapshot()).build();
    transact_in(session, options, captures, body).await
}

/// Runs `body` in a transaction and commits it.
///
/// `body` may run several times, so it must have no effects outside the database. Each run gets a reference to
/// `captures`, the values that it needs. `body` must return the driver's errors unchanged, because their labels say
/// whether to try again.
///
/// If `body` fails with an error that says nothing of the kind, or five seconds have passed, the transaction is aborted
/// and the error is returned. If the connection fails during the commit and doesn't recover, an error is returned
/// although the changes may have been made.
pub async fn transact<C, T, F>(client: &Client, captures: C, body: F) -> std::result::Result<T, StoreError>
where
    C: Send + Sync,
    F: for<'s> FnMut(&'s mut ClientSession, &'s C) -> BoxFuture<'s, Result<T>> + Send,
{
    transact_in(&mut client.start_session().await?, TransactionOptions::default(), captures, body).await
}

async fn transact_in<C, T, F>(
    session: &mut ClientSession,
    options: TransactionOptions,
    captures: C,
    mut body: F,
) -> std::result::Result<T, StoreError>
where
    C: Send + Sync,
    F: for<'s> FnMut(&'s mut ClientSession, &'s C) -> BoxFuture<'s, Result<T>> + Send,
{
    let started = Instant::now();
    let mut pause = Duration::from_millis(5);
    loop {
        session.start_transaction().with_options(options.clone()).await?;
        let outcome = match body(session, &captures).await {
            Ok(value) => commit(session, started).await.map(|()| value),
            Err(error) => {
                // If this fails, the server has aborted already or does so when the session ends. Only the first error
                // matters.
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

/// Returns a random factor between 0 and 1 for a pause, so that two transactions that conflicted don't start again at
/// the same moment.
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
