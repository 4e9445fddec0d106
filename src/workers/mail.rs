//! Sends the mails in the outbox.

use std::sync::Arc;

use futures_util::future::join_all;

use super::{RoundOutcome, WorkerState};
use crate::{
    accounts,
    app::App,
    db::StoreError,
    mail::{self, MailDoc, kind::Composer},
};

/// The maximum number of mails that are sent at the same time.
const AT_ONCE: usize = 8;

/// Sends the mails that are due, up to [`AT_ONCE`] of them.
pub(super) async fn round(app: &Arc<App>, _: &mut WorkerState) -> Result<RoundOutcome, StoreError> {
    let mut claimed = Vec::new();
    while claimed.len() < AT_ONCE
        && let Some(mail) = mail::claim(app).await?
    {
        claimed.push(mail);
    }
    let outcomes = join_all(claimed.iter().map(|mail| send(app, mail))).await;
    outcomes.into_iter().collect::<Result<(), StoreError>>()?;
    Ok(if claimed.is_empty() { RoundOutcome::NothingToDo } else { RoundOutcome::MoreToDo })
}

/// Writes the text of a mail and sends it. The text is written only now, so that the lifetime of a link in it begins
/// when the mail is sent, no matter how long the mail has waited.
async fn send(app: &App, mail: &MailDoc) -> Result<(), StoreError> {
    let letter = match mail.kind.composer() {
        Composer::Accounts => accounts::letters::compose(app, mail).await?,
    };
    mail::deliver(app, mail, letter).await
}
