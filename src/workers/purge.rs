//! Finishes deletions that were interrupted, and forgets e-mail addresses that were removed long ago.

use std::sync::Arc;

use super::{Round, Watch};
use crate::{accounts, app::App, catalogue, db::StoreError};

/// Continues one interrupted deletion, if there is one that no process works on.
pub(super) async fn round(app: &Arc<App>, _: &mut Watch) -> Result<Round, StoreError> {
    accounts::email_proof::forget_removed(app).await?;
    Ok(if catalogue::resume_purge(app).await? { Round::Busy } else { Round::Idle })
}
