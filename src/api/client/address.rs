//! `/api/client/{user_id}/address/`: where parts are sent.

use std::sync::Arc;

use poem_openapi::{Object, OpenApi, param::Path, payload::Json, types::Example};

use super::signed_in_first;
use crate::{
    accounts::address::{self, AddressError},
    api::{
        Group,
        access::PathOwner,
        address::{AddressIn, AddressOut},
        body::Tried,
        error::{ApiError, ApiResult, ErrorCode, Refusal},
    },
    app::App,
};

/// The handlers.
pub struct AddressApi {
    app: Arc<App>,
}

#[OpenApi(prefix_path = "/api/client", tag = "Group::Client")]
impl AddressApi {
    /// Where parts are sent
    ///
    /// A new account has an address too: its own name and number, and nothing else yet.
    #[oai(path = "/:user_id/address", method = "get", operation_id = "readAddress")]
    async fn read(
        &self,
        owner: PathOwner,
        #[oai(name = "user_id")] _user: Path<String>,
    ) -> ApiResult<Json<AddressReply>, AddressError> {
        let account = address::read(&self.app, owner.0).await?;
        Ok(Json(AddressReply { address: AddressOut::of(&account) }))
    }

    /// Change the lines that are named
    ///
    /// An empty line clears what was there; name and number are then the account's own again.
    #[oai(path = "/:user_id/address/update", method = "put", operation_id = "updateAddress")]
    async fn update(
        &self,
        owner: PathOwner,
        #[oai(name = "user_id")] _user: Path<String>,
        body: Tried<AddressIn>,
    ) -> ApiResult<Json<AddressReply>, AddressError> {
        let region = self.app.config.default_region;
        let asked = body.0.and_then(|body| Ok(body.check("", region)?));
        let change = signed_in_first(&self.app, &owner, asked).await?;
        let account = address::update(&self.app, owner.0, change).await?;
        Ok(Json(AddressReply { address: AddressOut::of(&account) }))
    }
}

impl AddressApi {
    /// Handlers over `app`.
    pub fn new(app: &Arc<App>) -> Self {
        Self { app: Arc::clone(app) }
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

impl Refusal for AddressError {
    const CODES: &'static [ErrorCode] =
        &[ErrorCode::InvalidInput, ErrorCode::InvalidAccessToken, ErrorCode::UserMismatch];

    fn into_error(self) -> ApiError {
        let text = self.to_string();
        match self {
            Self::NothingGiven => ApiError::new(ErrorCode::InvalidInput, text),
            Self::SignedOut => ApiError::new(ErrorCode::InvalidAccessToken, text),
            Self::Store(error) => error.into(),
        }
    }
}
