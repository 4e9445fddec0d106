//! Links in mails: made when the mail is sent, opened once.

use super::{
    store::{
        Account,
        links::{LinkDoc, LinkKind},
    },
    tokens::link::{LinkRef, LinkToken},
};
use crate::{
    app::App,
    db::StoreError,
    values::{email::Email, ids::LinkId},
};

/// Why a link opens nothing.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// No link of ours, or used already.
    #[error("this link is not valid or was used already")]
    NotFound,
    /// Past its time.
    #[error("this link has expired")]
    Expired,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A new link for an account, good from now on.
pub async fn make(app: &App, kind: LinkKind, account: &Account, email: &Email) -> Result<LinkRef, StoreError> {
    let (token, now) = (LinkToken::new(), app.clock.now());
    let lifetime = match kind {
        LinkKind::VerifyEmail => app.config.lifetimes.link,
        LinkKind::ResetPassword => app.config.lifetimes.reset,
    };
    let link = LinkDoc {
        id: LinkId::new(),
        kind,
        user: account.id,
        email: email.clone(),
        account_email: account.email.clone(),
        token_hash: token.hash(&app.keys.links[0], account.id),
        created_at: now,
        expires_at: now.after(lifetime),
    };
    app.store.links.insert(&link).await?;
    Ok(LinkRef { user: account.id, token })
}

/// What a link stands for, and its account; it stays as good as it was. Dead are links of accounts that are gone, disabled, or have
/// another address than the one that the link was mailed for.
pub async fn open(app: &App, kind: LinkKind, uid: &str, token: &str) -> Result<(LinkDoc, Account), LinkError> {
    let link = LinkRef::parse(uid, token).ok_or(LinkError::NotFound)?;
    let hashes = app.keys.links.iter().map(|key| link.token.hash(key, link.user)).collect();
    let link = app.store.links.find(link.user, kind, hashes).await?.ok_or(LinkError::NotFound)?;
    let account = app.store.users.active(link.user).await?.ok_or(LinkError::NotFound)?;
    let fits = match kind {
        LinkKind::VerifyEmail => account.email == link.account_email,
        LinkKind::ResetPassword => account.reset_address(app.clock.now()) == Some(&link.email),
    };
    if !fits {
        return Err(LinkError::NotFound);
    }
    if link.expires_at <= app.clock.now() { Err(LinkError::Expired) } else { Ok((link, account)) }
}
