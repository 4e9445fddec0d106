//! Mails. A request puts a mail into the outbox, and the `mail` worker sends it from there. So no request waits for the
//! mail server, and no mail is lost while the server is slow or down.

pub mod kind;
mod letters;
pub mod sender;
pub(crate) mod store;

use std::time::Duration;

use self::{
    kind::MailKind,
    sender::{DELIVERY_LIMIT, MailError},
};
pub use self::{
    letters::{Blanks, compose},
    sender::Letter,
    store::MailDoc,
};
use crate::{
    app::App,
    db::StoreError,
    limits::{self, Count, LimitError, Slots},
    values::{backoff::Backoff, email::Email, ids::UserId, limits::Action, net::Client},
};

/// Time after which a mail that was taken but not sent may be taken again. It is longer than any delivery, so the
/// process that took the mail must have crashed by then.
const CLAIM_TIME: Duration = Duration::from_secs(3 * DELIVERY_LIMIT.as_secs());
/// Pauses after failures to send a mail.
const RETRY_PAUSES: Backoff = Backoff { first: Duration::from_secs(5), longest: Duration::from_secs(30 * 60) };

/// Takes the slots for a mail by which a caller who isn't signed in wants to get back into an account. They are counted
/// for the account and the caller's network address, and with a higher limit for the account alone. Mails that the
/// owner asks for while signed in are counted separately, so no stranger can use up the owner's slots.
pub async fn take_recovery_slots(app: &App, user: UserId, client: Client) -> Result<(), LimitError> {
    let about = format!("recovery {user}");
    let by_address = |action| Count::by_address(action, &about, client);
    let counts = by_address(Action::MailMinute).chain(by_address(Action::MailHour));
    limits::take(app, counts.chain([Count::of(Action::MailTotal, about.clone())])).await.map(drop)
}

/// Takes the slots for an invitation. They are counted for the recipient only, since an admin may invite many people.
pub async fn take_invitation_slots(app: &App, to: &Email) -> Result<Slots, LimitError> {
    let about = format!("invitation {to}");
    limits::take(app, [Count::of(Action::MailMinute, about.clone()), Count::of(Action::MailHour, about)]).await
}

/// Takes the slots for a mail that a signed-in caller asks for. They are counted for the caller's account, for the
/// recipient together with the caller, and with a higher limit for the recipient alone.
pub async fn take_slots(app: &App, by: UserId, to: &Email) -> Result<Slots, LimitError> {
    let subjects = [format!("account {by}"), format!("to {to} by {by}")];
    let counts = subjects
        .into_iter()
        .flat_map(|subject| [Count::of(Action::MailMinute, subject.clone()), Count::of(Action::MailHour, subject)]);
    limits::take(app, counts.chain([Count::of(Action::MailTotal, format!("to {to}"))])).await
}

/// Queues a mail, which is due now. The `mail` worker sends it and tries again for a day if that fails. `user` is the
/// account that the mail is about.
pub async fn queue(app: &App, user: Option<UserId>, kind: MailKind, to: &Email) -> Result<(), StoreError> {
    app.store.outbox.insert(&MailDoc::new(user, kind, to.clone(), app.clock.now())).await
}

/// Takes the next mail that is due; `None` if none is. No other process takes the same mail until its delivery must be
/// over.
pub async fn claim(app: &App) -> Result<Option<MailDoc>, StoreError> {
    let now = app.clock.now();
    app.store.outbox.claim(now, now.after(CLAIM_TIME)).await
}

/// Sends the letter of a mail that [`claim`] has returned, and removes the mail. If sending fails, the mail is tried
/// again later, or given up if that has no use or its time is over. A mail without a letter isn't wanted any more and
/// is only removed.
pub async fn deliver(app: &App, mail: &MailDoc, letter: Option<Letter>) -> Result<(), StoreError> {
    let sent = match letter {
        Some(letter) => app.mailer.send(letter).await,
        None => Ok(()),
    };
    match sent {
        Ok(()) => app.store.outbox.remove(mail.id).await,
        Err(error) => retry_later_or_give_up(app, mail, &error).await,
    }
}

/// Counts the mails in the outbox.
pub async fn count_queued(app: &App) -> Result<u64, StoreError> {
    app.store.outbox.count().await
}

/// Makes a mail that was not sent due again after a pause, or removes it if trying again has no use.
async fn retry_later_or_give_up(app: &App, mail: &MailDoc, error: &MailError) -> Result<(), StoreError> {
    let (id, kind, attempts) = (mail.id, mail.kind, mail.attempts);
    let next_attempt = app.clock.now().after(RETRY_PAUSES.pause_after(attempts));
    if matches!(error, MailError::Unsendable | MailError::NeedsSmtpUtf8) || next_attempt >= mail.expires_at {
        tracing::error!(mail = %id, ?kind, attempts, %error, "a mail is given up");
        return app.store.outbox.remove(id).await;
    }
    tracing::warn!(mail = %id, ?kind, attempts, %error, "a mail was not sent, it will be tried again");
    app.store.outbox.postpone(mail, next_attempt).await
}
