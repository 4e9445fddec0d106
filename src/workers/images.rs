//! Removes images that no document uses any more.

use std::sync::Arc;

use futures_util::future::join_all;

use super::{Round, Watch};
use crate::{app::App, db::StoreError, images};

/// The maximum number of images that are removed at the same time.
const AT_ONCE: usize = 8;

/// Removes the images that are due, up to [`AT_ONCE`] of them.
pub(super) async fn round(app: &Arc<App>, _: &mut Watch) -> Result<Round, StoreError> {
    let mut begun = Vec::new();
    while begun.len() < AT_ONCE
        && let Some(trash) = images::begin_removal(app).await?
    {
        begun.push(trash);
    }
    let removed = join_all(begun.iter().map(|trash| images::remove(app, trash))).await;
    removed.into_iter().collect::<Result<(), StoreError>>()?;
    Ok(if begun.is_empty() { Round::Idle } else { Round::Busy })
}
