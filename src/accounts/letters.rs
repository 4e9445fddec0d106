//! The mails about accounts: writing the letter at the time of sending, and queueing notices to the owner of an
//! account.

use super::{
    links,
    store::{Account, links::LinkKind},
};
use crate::{
    app::App,
    db::StoreError,
    limits::{self, Count},
    mail::{self, Blanks, Letter, MailDoc, kind::MailKind},
    values::{email::Email, ids::UserId, limits::Action},
};

/// Writes the letter of a queued mail. Returns `None` when the mail is not wanted any more, for example because its
/// account was deleted. A link is made here and not when the mail is queued, so that its time starts when it is sent.
pub async fn compose(app: &App, mail: &MailDoc) -> Result<Option<Letter>, StoreError> {
    let blanks = match mail.kind {
        MailKind::PasswordChanged
        | MailKind::EmailChanged
        | MailKind::EmailRemoved
        | MailKind::EmailLost
        | MailKind::EmailSet
        | MailKind::NumberChanged
        | MailKind::NumberLost
        | MailKind::SessionStolen => Some(Blanks::default()),
        MailKind::VerifyEmail => link_blanks(app, mail, LinkKind::VerifyEmail, "activate-staff").await?,
        MailKind::ResetPassword => link_blanks(app, mail, LinkKind::ResetPassword, "reset").await?,
        MailKind::StaffInvitation => {
            let is_open = app.store.invitations.is_open(&mail.to, app.clock.now()).await?;
            is_open.then(|| Blanks { link: format!("{}/", app.config.mail.frontend_url), ..Blanks::default() })
        }
    };
    Ok(blanks.map(|blanks| mail::compose(mail.id, mail.kind, mail.to.clone(), &blanks)))
}

/// Makes a link for the account of a mail. Returns its URL and the username, which are filled into the letter. Returns
/// `None` when the owner of the account may not get such a link any more.
async fn link_blanks(app: &App, mail: &MailDoc, kind: LinkKind, page: &str) -> Result<Option<Blanks>, StoreError> {
    let Some(user) = mail.user else { return Ok(None) };
    let Some(account) = app.store.users.active_account(user).await? else { return Ok(None) };
    if kind == LinkKind::ResetPassword && account.reset_address(app.clock.now()) != Some(&mail.to) {
        return Ok(None);
    }
    let link = links::make(app, kind, &account, &mail.to).await?;
    let url = format!("{}/{page}/{}/", app.config.mail.frontend_url, link.expose());
    Ok(Some(Blanks { link: url, username: account.username.to_string() }))
}

/// Queues a notice to the owner of an account. Does nothing if the account has no address. The change that the notice
/// tells of has already happened, so an error is only logged.
pub async fn notify(app: &App, account: &Account, kind: MailKind) {
    let now = app.clock.now();
    let Some(to) = account.mail_address(now) else { return };
    if account.has_proven(to, now) {
        queue(app, account.id, to, kind).await;
    } else {
        notify_claimed(app, account.id, to, kind).await;
    }
}

/// Queues a notice to an address that the account has not proven. The address may belong to somebody else, so the
/// number of such notices to one address is limited. A notice beyond the limit is dropped.
pub async fn notify_claimed(app: &App, user: UserId, to: &Email, kind: MailKind) {
    match limits::take(app, [Count::of(Action::MailNotice, to.to_string())]).await {
        Ok(_) => queue(app, user, to, kind).await,
        Err(error) => tracing::info!(%user, ?kind, %error, "a notice to an address that was never proven is dropped"),
    }
}

async fn queue(app: &App, user: UserId, to: &Email, kind: MailKind) {
    if let Err(error) = mail::queue(app, Some(user), kind, to).await {
        tracing::error!(%user, ?kind, %error, "an owner is not told of a change");
    }
}
