//! Links in mails. A link is made when its mail is sent, and can be used once.

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

/// The reason why a link can't be used.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The link was not made by this shop, was used already, or is void.
    #[error("this link is not valid or was used already")]
    NotFound,
    /// The link has expired.
    #[error("this link has expired")]
    Expired,
    /// The database call failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes and stores a link to `email` for an account. The link is valid from now on, for the time that the settings
/// give its kind. Only a keyed hash of its token is stored, so its URL can be made only from the returned value.
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

/// Returns what a link stands for, and its account. The link is not used up.
///
/// Fails with [`LinkError::NotFound`] when the account was deleted or disabled. The same happens when its address has
/// changed: a link to prove an address is void if the account has another address than at the time of the mail, and a
/// link to reset the password is void if resets may not go to that address any more.
pub async fn open(app: &App, kind: LinkKind, uid: &str, token: &str) -> Result<(LinkDoc, Account), LinkError> {
    let reference = LinkRef::parse(uid, token).ok_or(LinkError::NotFound)?;
    let hashes = app.keys.links.iter().map(|key| reference.token.hash(key, reference.user)).collect();
    let link = app.store.links.find(reference.user, kind, hashes).await?.ok_or(LinkError::NotFound)?;
    let account = app.store.users.active_account(link.user).await?.ok_or(LinkError::NotFound)?;
    let is_address_unchanged = match kind {
        LinkKind::VerifyEmail => account.email == link.account_email,
        LinkKind::ResetPassword => account.reset_address(app.clock.now()) == Some(&link.email),
    };
    if !is_address_unchanged {
        return Err(LinkError::NotFound);
    }
    if link.expires_at <= app.clock.now() { Err(LinkError::Expired) } else { Ok((link, account)) }
}
