//! `/api/client/{user_id}/`: what belongs to one customer.

pub mod address;
pub mod cart;
mod cart_out;

use super::{access::PathOwner, error::ApiError};
use crate::{
    accounts::{sessions::is_alive, tokens::access::InvalidAccessToken},
    app::App,
};

/// What a call asks for. The update that follows signs the caller in; where a refusal leaves none to follow, a caller who
/// isn't signed in must still hear that first.
async fn signed_in_first<T>(app: &App, owner: &PathOwner, asked: Result<T, ApiError>) -> Result<T, ApiError> {
    if asked.is_err() && !is_alive(app, owner.0).await? {
        return Err(InvalidAccessToken.into());
    }
    asked
}
