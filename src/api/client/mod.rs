//! `/api/client/{user_id}/`: the cart and the postal address of one customer.

pub mod address;
pub mod cart;
mod cart_out;

use super::{access::PathOwner, error::ApiError};
use crate::{
    accounts::{sessions::is_alive, tokens::access::InvalidAccessToken},
    app::App,
};

/// Returns `asked`, the parameters of a call or the first error in them. If it is an error and the caller's session has
/// ended, fails with 401 instead.
///
/// [`PathOwner`] only checks the token, and the update that follows checks the session. An error in the parameters
/// leaves no update to follow, so the session must be checked here.
async fn signed_in_first<T>(app: &App, owner: &PathOwner, asked: Result<T, ApiError>) -> Result<T, ApiError> {
    if asked.is_err() && !is_alive(app, owner.0).await? {
        return Err(InvalidAccessToken.into());
    }
    asked
}
