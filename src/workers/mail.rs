//! Sends what is in the outbox.

use std::sync::Arc;

use futures_util::future::join_all;

use super::Round;
use crate::{app::App, db::StoreError, mail};

/// Mails that are sent at the same time.
const AT_ONCE: usize = 8;

/// Sends the mails that are due, up to [`AT_ONCE`] of them.
pub(super) async fn round(app: &Arc<App>) -> Result<Round, StoreError> {
    let mut claimed = Vec::new();
    while claimed.len() < AT_ONCE
        && let Some(mail) = mail::claim(app).await?
    {
        claimed.push(mail);
    }
    let sent = join_all(claimed.iter().map(|mail| mail::deliver(app, mail))).await;
    sent.into_iter().collect::<Result<(), StoreError>>()?;
    Ok(if claimed.is_empty() { Round::Idle } else { Round::Busy })
}
