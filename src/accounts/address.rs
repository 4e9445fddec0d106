//! The postal address inside the account.

use super::{
    rules::profile::AddressChange,
    store::{Account, AccountChange, Address, Proof},
};
use crate::{
    app::App,
    db::StoreError,
    values::ids::{AddressId, SessionRef},
};

/// Why an address isn't read or changed.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// Nothing was named that can be changed.
    #[error("no valid fields provided for update")]
    NothingGiven,
    /// The session is not alive.
    #[error("invalid or expired access token")]
    SignedOut,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The address of an account. It has one from the sign-up on: name and number are the account's own until others are
/// given, and its id is the account's, so that nothing needs to be stored before something is known.
pub fn of(account: &Account) -> Address {
    let given = account.profile.address.clone().unwrap_or_else(|| Address {
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
        name: given.name.or_else(|| Some(account.username.to_string())),
        phone_number: given.phone_number.or_else(number),
        ..given
    }
}

/// The account whose address is asked for.
pub async fn read(app: &App, owner: SessionRef) -> Result<Account, AddressError> {
    app.store.users.account(owner).await?.ok_or(AddressError::SignedOut)
}

/// Changes what was named and returns the account as it is then: one update, which signs its caller in.
pub async fn update(app: &App, owner: SessionRef, change: AddressChange) -> Result<Account, AddressError> {
    let change = AccountChange { address: change, ..AccountChange::default() };
    if change.is_empty() {
        read(app, owner).await?;
        return Err(AddressError::NothingGiven);
    }
    let changed = app.store.users.change_account(owner, &change, &Proof::NotNeeded, app.clock.now()).await?;
    changed.ok_or(AddressError::SignedOut)
}
