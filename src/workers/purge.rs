//! Finishes deletions that were cut off.

use std::sync::Arc;

use super::Round;
use crate::{app::App, services::catalogue, store::StoreError};

/// Goes on with one deletion, if there is one that nobody works at.
pub(super) async fn round(app: &Arc<App>) -> Result<Round, StoreError> {
    Ok(if catalogue::resume_purge(app).await? { Round::Busy } else { Round::Idle })
}
