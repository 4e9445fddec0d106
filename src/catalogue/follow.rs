//! Listens to what happens in the catalogue, so that the cache forgets what has changed. Every instance does so for
//! itself: it is no work in the background that one does for all.

use std::{convert::Infallible, sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::store::catalogue_changes::Heard;
use crate::{app::App, db::StoreError};

/// The pause after the stream broke; each is twice the one before, until it is open again.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Why listening ended.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("the stream has ended")]
    Ended,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Keeps the cache coherent until told to stop.
pub async fn follow(app: Arc<App>, stop: CancellationToken) {
    if !app.catalogue.is_on() {
        return;
    }
    let mut pause = FIRST_PAUSE;
    while !stop.is_cancelled() {
        tokio::select! {
            () = stop.cancelled() => {}
            Err(error) = listen(&app, &mut pause) => {
                tracing::warn!(%error, "the catalogue is read past its cache until its changes are heard of again");
            }
        }
        app.catalogue.lost();
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(LONGEST_PAUSE),
        }
    }
}

/// Opens the stream first: what happens after that is heard of, so what is loaded after that can be kept.
async fn listen(app: &App, pause: &mut Duration) -> Result<Infallible, Broken> {
    let mut changes = app.store.catalogue_watch.open_stream().await?;
    *pause = FIRST_PAUSE;
    app.catalogue.heard();
    loop {
        match changes.next().await? {
            Heard::Change(touched) => app.catalogue.changed(&touched),
            Heard::Nothing => {}
            Heard::End => return Err(Broken::Ended),
        }
        app.catalogue.heard();
    }
}
