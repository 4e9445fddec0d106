//! Mails: put into the outbox by the flows that want them, sent from there in the background, so that no request
//! waits for a mail server and no mail is lost when it is slow or down.

mod letters;

use std::time::Duration;

use crate::{
    app::App,
    domain::{email::Email, mail_kind::MailKind},
    integrations::mail::{DELIVERY_LIMIT, Letter, MailError},
    store::{StoreError, outbox::MailDoc, users::Account},
};

/// After so long a mail that was taken and not sent is taken to be forgotten: longer than any delivery.
const CLAIM: Duration = Duration::from_secs(3 * DELIVERY_LIMIT.as_secs());
/// The first pause before sending is tried again; each one after it is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(30 * 60);

/// Where an owner can be told of something: the proven address, before one that is only claimed.
fn address(account: &Account) -> Option<&Email> {
    let proven = account.verification.email.as_ref().filter(|email| email.verified_at.is_some());
    proven.map(|email| &email.value).or(account.email.as_ref())
}

/// Has an owner told of something, by mail, if there is an address. What it is about has happened already, so a mail
/// that can't be put into the outbox is logged and fails nothing.
pub async fn notify(app: &App, account: &Account, kind: MailKind) {
    let Some(to) = address(account) else { return };
    let mail = MailDoc::new(Some(account.id), kind, to.clone(), app.clock.now());
    if let Err(error) = app.store.outbox.insert(&mail).await {
        tracing::error!(user = %account.id, ?kind, %error, "an owner is not told of a change");
    }
}

/// Takes the next mail that is due; nobody else will, until this delivery must be over.
pub async fn claim(app: &App) -> Result<Option<MailDoc>, StoreError> {
    let now = app.clock.now();
    app.store.outbox.claim(now, now.after(CLAIM)).await
}

/// Sends a mail that was claimed, or puts it off.
pub async fn deliver(app: &App, mail: &MailDoc) -> Result<(), StoreError> {
    let sent = match compose(app, mail).await? {
        Some(letter) => app.mailer.send(letter).await,
        None => Ok(()),
    };
    match sent {
        Ok(()) => app.store.outbox.remove(mail.id).await,
        Err(error) => put_off(app, mail, &error).await,
    }
}

/// The mail in words; `None` when what it is about is gone.
async fn compose(_app: &App, mail: &MailDoc) -> Result<Option<Letter>, StoreError> {
    let link = match mail.kind {
        MailKind::PasswordChanged => String::new(),
    };
    Ok(Some(letters::letter(mail.id, mail.kind, mail.to.clone(), &link)))
}

async fn put_off(app: &App, mail: &MailDoc, error: &MailError) -> Result<(), StoreError> {
    let (id, kind, attempts) = (mail.id, mail.kind, mail.attempts);
    let again = app.clock.now().after(pause(attempts));
    if matches!(error, MailError::Unsendable) || again >= mail.expires_at {
        tracing::error!(mail = %id, ?kind, attempts, %error, "a mail is given up");
        return app.store.outbox.remove(id).await;
    }
    tracing::warn!(mail = %id, ?kind, attempts, %error, "a mail was not sent, it will be tried again");
    app.store.outbox.postpone(mail, again).await
}

fn pause(attempts: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(attempts.saturating_sub(1))).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_half_an_hour() {
        let pauses: Vec<u64> = [1, 2, 3, 9, 10, u32::MAX].map(|attempts| pause(attempts).as_secs()).to_vec();
        assert_eq!(pauses, [5, 10, 20, 1280, 1800, 1800]);
    }
}
