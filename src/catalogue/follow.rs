//! Follows the changes of the catalogue in the database, so that the cache learns of the writes of other processes.
//!
//! Every instance does this for its own cache. It is therefore not one of the background workers, which run in one
//! instance at a time.

use std::{convert::Infallible, sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::store::catalogue_changes::CatalogueChange;
use crate::{app::App, db::StoreError};

/// How long to wait before the stream is opened again after it broke. Each further pause is twice as long, up to
/// [`LONGEST_PAUSE`]. A stream that opens sets it back.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Why the stream broke.
#[derive(Debug, thiserror::Error)]
enum StreamError {
    #[error("the stream has ended")]
    Ended,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Keeps the cache up to date until `stop` is cancelled. Returns at once if the cache is switched off.
///
/// When the stream breaks, reads ask the database until the stream is open again.
pub async fn follow(app: Arc<App>, stop: CancellationToken) {
    if !app.catalogue.is_on() {
        return;
    }
    let mut pause = FIRST_PAUSE;
    while !stop.is_cancelled() {
        tokio::select! {
            () = stop.cancelled() => {}
            Err(error) = pass_changes_on(&app, &mut pause) => {
                tracing::warn!(%error, "the catalogue is read past its cache until its changes are heard of again");
            }
        }
        app.catalogue.record_stream_end();
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(LONGEST_PAUSE),
        }
    }
}

/// Opens the stream and passes on its changes until it breaks; never returns `Ok`.
///
/// The stream is opened before the cache is used again, so every change after the first copy is reported.
async fn pass_changes_on(app: &App, pause: &mut Duration) -> Result<Infallible, StreamError> {
    let mut changes = app.store.catalogue_watch.open_stream().await?;
    *pause = FIRST_PAUSE;
    app.catalogue.record_stream_answer();
    loop {
        match changes.next().await? {
            CatalogueChange::Change(part) => app.catalogue.mark_changed(&part),
            CatalogueChange::Nothing => {}
            CatalogueChange::End => return Err(StreamError::Ended),
        }
        app.catalogue.record_stream_answer();
    }
}
