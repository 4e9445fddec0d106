//! What the owner of an account may ask of the shop by law: everything that is kept about them, and its deletion. Every
//! subject that keeps something about an account is called from here.

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

/// Returns everything that is kept about the caller, without secrets.
pub async fn export(app: &App, caller: SessionRef) -> Result<WholeAccount, AccountError> {
    own::whole(app, caller).await
}

/// Deletes the account of the caller. Others can use its name, number and address from then on.
pub async fn delete(
    app: &App,
    caller: SessionRef,
    current: Password,
    origin: &ClientContext,
) -> Result<(), AccountError> {
    for _ in 0..sign_in::ATTEMPTS {
        let confirmed = sign_in::confirm_password(app, caller, current.clone(), origin).await?;
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
