//! Mails: put into the outbox by the flows that want them, sent from there in the background, so that no request
//! waits for a mail server and no mail is lost when it is slow or down.

pub mod kind;
mod letters;
pub mod sender;
pub mod store;

use std::time::Duration;

use self::{
    kind::MailKind,
    letters::Blanks,
    sender::{DELIVERY_LIMIT, Letter, MailError},
    store::MailDoc,
};
use crate::{
    accounts::{
        links,
        store::{Account, links::LinkKind},
    },
    app::App,
    db::StoreError,
    limits::{self, Count, LimitError, Slots},
    values::{email::Email, ids::UserId, limits::Action, net::Client},
};

/// After so long a mail that was taken and not sent is taken to be forgotten: longer than any delivery.
const CLAIM: Duration = Duration::from_secs(3 * DELIVERY_LIMIT.as_secs());
/// The first pause before sending is tried again; each one after it is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(30 * 60);

/// Counts a mail that a stranger asks for, to get back into an account: for the address that asks, and for all of them
/// together, which is wider. What owners ask for counts apart, so that no stranger can use it up.
pub async fn count_recovery(app: &App, user: UserId, client: Client) -> Result<(), LimitError> {
    let about = format!("recovery {user}");
    let by_asker = |action| Count::by_address(action, &about, client);
    let wanted = by_asker(Action::MailMinute).chain(by_asker(Action::MailHour));
    limits::take(app, wanted.chain([Count::of(Action::MailTotal, about.clone())])).await.map(drop)
}

/// Counts an invitation: for the recipient alone, since an admin may invite many.
pub async fn count_invitation(app: &App, to: &Email) -> Result<Slots, LimitError> {
    let about = format!("invitation {to}");
    limits::take(app, [Count::of(Action::MailMinute, about.clone()), Count::of(Action::MailHour, about)]).await
}

/// Counts a mail that somebody who is signed in asks for: for their account, for the recipient and whoever asks, and for
/// the recipient in all, which is wider.
pub async fn count(app: &App, by: UserId, to: &Email) -> Result<Slots, LimitError> {
    let subjects = [format!("account {by}"), format!("to {to} by {by}")];
    let each =
        subjects.into_iter().flat_map(|s| [Count::of(Action::MailMinute, s.clone()), Count::of(Action::MailHour, s)]);
    limits::take(app, each.chain([Count::of(Action::MailTotal, format!("to {to}"))])).await
}

/// Has a mail sent.
pub async fn put(app: &App, user: Option<UserId>, kind: MailKind, to: &Email) -> Result<(), StoreError> {
    app.store.outbox.insert(&MailDoc::new(user, kind, to.clone(), app.clock.now())).await
}

/// Queues a notice to the owner of an account, if there is an address. What it is about has happened already, so a mail
/// that can't be put into the outbox is logged and fails nothing.
pub async fn notify(app: &App, account: &Account, kind: MailKind) {
    let now = app.clock.now();
    let Some(to) = account.mail_address(now) else { return };
    if account.has_proven(to, now) {
        queue(app, account.id, to, kind).await;
    } else {
        notify_claimed(app, account.id, to, kind).await;
    }
}

/// The same at an address that the account only claims. It may be somebody else's, who gets a few of them at most.
pub async fn notify_claimed(app: &App, user: UserId, to: &Email, kind: MailKind) {
    match limits::take(app, [Count::of(Action::MailNotice, to.to_string())]).await {
        Ok(_) => queue(app, user, to, kind).await,
        Err(error) => tracing::info!(%user, ?kind, %error, "a notice to an address that was never proven is dropped"),
    }
}

async fn queue(app: &App, user: UserId, to: &Email, kind: MailKind) {
    if let Err(error) = put(app, Some(user), kind, to).await {
        tracing::error!(%user, ?kind, %error, "an owner is not told of a change");
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

/// The mail in words; `None` when what it is about is gone. Its link is made now, so that its time starts when it is
/// sent, however long the mail had to wait.
async fn compose(app: &App, mail: &MailDoc) -> Result<Option<Letter>, StoreError> {
    let blanks = match mail.kind {
        MailKind::PasswordChanged
        | MailKind::EmailChanged
        | MailKind::EmailRemoved
        | MailKind::EmailLost
        | MailKind::EmailSet
        | MailKind::NumberChanged
        | MailKind::NumberLost
        | MailKind::SessionStolen => Some(Blanks::default()),
        MailKind::VerifyEmail => link_to(app, mail, LinkKind::VerifyEmail, "activate-staff").await?,
        MailKind::ResetPassword => link_to(app, mail, LinkKind::ResetPassword, "reset").await?,
        MailKind::StaffInvitation => {
            let open = app.store.invitations.is_open(&mail.to, app.clock.now()).await?;
            open.then(|| Blanks { link: format!("{}/", app.config.mail.frontend_url), ..Blanks::default() })
        }
    };
    Ok(blanks.map(|blanks| letters::letter(mail.id, mail.kind, mail.to.clone(), &blanks)))
}

/// A new link for the account of a mail, if its owner may still have one, and whose account that is.
async fn link_to(app: &App, mail: &MailDoc, kind: LinkKind, page: &str) -> Result<Option<Blanks>, StoreError> {
    let Some(user) = mail.user else { return Ok(None) };
    let Some(account) = app.store.users.active(user).await? else { return Ok(None) };
    if kind == LinkKind::ResetPassword && account.reset_address(app.clock.now()) != Some(&mail.to) {
        return Ok(None);
    }
    let link = links::make(app, kind, &account, &mail.to).await?;
    let link = format!("{}/{page}/{}/", app.config.mail.frontend_url, link.expose());
    Ok(Some(Blanks { link, username: account.username.to_string() }))
}

async fn put_off(app: &App, mail: &MailDoc, error: &MailError) -> Result<(), StoreError> {
    let (id, kind, attempts) = (mail.id, mail.kind, mail.attempts);
    let again = app.clock.now().after(pause(attempts));
    if matches!(error, MailError::Unsendable | MailError::NeedsSmtpUtf8) || again >= mail.expires_at {
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
