//! `/api/client/{user_id}/address/`: the postal address to which parts are sent.

use std::sync::Arc;

use poem_openapi::{Object, OpenApi, payload::Json, types::Example};

use crate::{
    accounts::address::{self, AddressError},
    api::{
        Group,
        access::{OwnerBody, owner},
        address::{AddressIn, AddressOut},
        error::{ApiResult, refusals},
    },
    app::App,
    db::StoreError,
};

/// Handlers of `/api/client/{user_id}/address/`.
pub struct AddressApi(pub Arc<App>);

#[OpenApi(prefix_path = "/api/client", tag = "Group::Client")]
impl AddressApi {
    /// Returns the postal address
    ///
    /// A new account has an address too. It contains the account's username and phone number, and its other lines are
    /// empty.
    #[oai(path = "/:user_id/address", method = "get", operation_id = "readAddress")]
    async fn read(&self, #[oai(name = "user_id")] owner: owner::Path) -> ApiResult<Json<AddressReply>, AddressError> {
        let account = address::read(&self.0, owner.0).await?;
        Ok(Json(AddressReply { address: AddressOut::of(&account) }))
    }

    /// Changes the given lines of the postal address
    ///
    /// An empty line clears the stored value. Name and phone number are then the account's own again.
    #[oai(path = "/:user_id/address/update", method = "put", operation_id = "updateAddress")]
    async fn update(
        &self,
        #[oai(name = "user_id")] owner: owner::Path,
        body: OwnerBody<AddressIn>,
    ) -> ApiResult<Json<AddressReply>, AddressError> {
        let region = self.0.config.default_region;
        let change = owner.signed_in_first(&self.0, body.0.check("", region)).await?;
        let account = address::update(&self.0, owner.0, change).await?;
        Ok(Json(AddressReply { address: AddressOut::of(&account) }))
    }
}

/// The answer of both calls.
#[derive(Debug, Object)]
#[oai(example)]
struct AddressReply {
    address: AddressOut,
}

impl Example for AddressReply {
    fn example() -> Self {
        Self { address: AddressOut::example() }
    }
}

refusals! {
    AddressError {
        codes { NothingGiven => InvalidInput, SignedOut => InvalidAccessToken }
        causes { Store: StoreError }
    }
}
