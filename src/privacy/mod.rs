//! What the owner of an account may ask of the shop by law: everything that is kept about them, and the deletion of the
//! account. Both are one document and one transaction of `accounts` today, since the cart stands in the account. A subject
//! that keeps documents of its own about an account, such as orders, is called from here.

use crate::{
    accounts::{
        WholeAccount,
        own::{self, AccountError},
        rules::password::Password,
        sessions::ClientContext,
        sign_in,
    },
    app::App,
    values::{ids::SessionRef, role::Role},
};

/// Returns the account of the caller with its sessions and its cart, without secrets. Codes, links and mails that wait to be
/// used or sent are not in it.
pub async fn export(app: &App, caller: SessionRef) -> Result<WholeAccount, AccountError> {
    own::whole(app, caller).await
}

/// Deletes the account of the caller. Others can use its name, number and address from then on.
pub async fn delete(
    app: &App,
    caller: SessionRef,
    current: Password,
    context: &ClientContext,
) -> Result<(), AccountError> {
    for _ in 0..sign_in::ATTEMPTS {
        let confirmed = sign_in::confirm_password(app, caller, current.clone(), context).await?;
        if confirmed.account.role == Role::Admin {
            return Err(AccountError::Admin);
        }
        if own::remove(app, &confirmed).await? {
            return Ok(());
        }
        // The password, its hash or the role has just changed. The next attempt reads them again.
    }
    Err(AccountError::SignedOut)
}
