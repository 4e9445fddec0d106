//! The postal address of an account. It is stored inside the account's document.

use super::{
    rules::profile::AddressChange,
    store::{Account, AccountChange, Address, Proof},
};
use crate::{
    app::App,
    db::StoreError,
    values::ids::{AddressId, SessionRef},
};

/// The reason why an address is not read or changed.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// The request names no field that can be changed.
    #[error("no valid fields provided for update")]
    NothingGiven,
    /// The session has ended, or the account is disabled.
    #[error("invalid or expired access token")]
    SignedOut,
    /// The database call failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Returns the address of an account. Every account has one, even if its owner has not filled in anything yet.
///
/// Where the owner gave no name or number, the address shows the username and the phone number of the account. An
/// address that was never stored has the same id as the account, so nothing needs to be stored at the sign-up.
pub fn of(account: &Account) -> Address {
    let stored = account.profile.address.clone().unwrap_or_else(|| Address {
        id: AddressId::from(account.id.bytes()),
        name: None,
        phone_number: None,
        address_line1: None,
        address_line2: None,
        city: None,
        state: None,
        country: None,
        pincode: None,
        updated_at: account.created_at,
    });
    let number = || account.phone_number.as_ref().map(ToString::to_string);
    Address {
        name: stored.name.or_else(|| Some(account.username.to_string())),
        phone_number: stored.phone_number.or_else(number),
        ..stored
    }
}

/// Returns the account of a session. Pass it to [`of`] to get the address.
pub async fn read(app: &App, owner: SessionRef) -> Result<Account, AddressError> {
    app.store.users.account(owner).await?.ok_or(AddressError::SignedOut)
}

/// Changes the lines that `address` names, and returns the account after the change. The same update checks that the
/// session of the caller is alive.
pub async fn update(app: &App, owner: SessionRef, address: AddressChange) -> Result<Account, AddressError> {
    let change = AccountChange { address, ..AccountChange::default() };
    if change.is_empty() {
        read(app, owner).await?;
        return Err(AddressError::NothingGiven);
    }
    let changed = app.store.users.change_account(owner, &change, &Proof::NotNeeded, app.clock.now()).await?;
    changed.ok_or(AddressError::SignedOut)
}
