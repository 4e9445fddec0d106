//! What the owner of an account may ask of the shop by law: everything that is kept about them, and its deletion.
//!
//! A subject that keeps documents of its own about an account joins in here: its part of the export is a field of
//! `Export`, and its part of the deletion stands in `store.rs`.

pub(crate) mod store;

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

/// Everything that is kept about an account, but secrets, and codes, links and mails that wait to be used or sent.
pub struct Export {
    /// The account with its sessions and its cart.
    pub account: WholeAccount,
}

/// Returns everything that is kept about the caller.
pub async fn export(app: &App, caller: SessionRef) -> Result<Export, AccountError> {
    Ok(Export { account: own::whole(app, caller).await? })
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
        if app.store.deletions.delete(&confirmed, app.clock.now()).await? {
            return Ok(());
        }
        // The password, its hash or the role has just changed. The next attempt reads them again.
    }
    Err(AccountError::SignedOut)
}
