//! Removes images that no document uses any more.

use std::sync::Arc;

use futures_util::future::join_all;

use super::{RoundOutcome, WorkerState};
use crate::{app::App, db::StoreError, images};

/// The maximum number of images that are removed at the same time.
const AT_ONCE: usize = 8;

/// Removes the images that are due, up to [`AT_ONCE`] of them.
pub(super) async fn round(app: &Arc<App>, _: &mut WorkerState) -> Result<RoundOutcome, StoreError> {
    let mut removals = Vec::new();
    while removals.len() < AT_ONCE
        && let Some(trash) = images::begin_removal(app).await?
    {
        removals.push(trash);
    }
    let outcomes = join_all(removals.iter().map(|trash| images::remove(app, trash))).await;
    outcomes.into_iter().collect::<Result<(), StoreError>>()?;
    Ok(if removals.is_empty() { RoundOutcome::NothingToDo } else { RoundOutcome::MoreToDo })
}
