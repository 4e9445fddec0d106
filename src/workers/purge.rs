//! Finishes deletions that were cut off, and forgets addresses that were removed long enough ago.

use std::sync::Arc;

use super::Round;
use crate::{app::App, catalogue, db::StoreError};

/// Goes on with one deletion, if there is one that nobody works at.
pub(super) async fn round(app: &Arc<App>) -> Result<Round, StoreError> {
    app.store.users.forget_removed_emails(app.clock.now()).await?;
    Ok(if catalogue::resume_purge(app).await? { Round::Busy } else { Round::Idle })
}
