//! Finishes deletions that were interrupted, and forgets e-mail addresses that were removed long ago.

use std::sync::Arc;

use super::{RoundOutcome, WorkerState};
use crate::{accounts, app::App, catalogue, db::StoreError};

/// Continues one interrupted deletion, if there is one that no process works on.
pub(super) async fn round(app: &Arc<App>, _: &mut WorkerState) -> Result<RoundOutcome, StoreError> {
    accounts::email_proof::forget_removed(app).await?;
    Ok(if catalogue::resume_purge(app).await? { RoundOutcome::MoreToDo } else { RoundOutcome::NothingToDo })
}
