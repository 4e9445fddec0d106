//! `/api/client/{user_id}/`: what belongs to one customer.

pub mod address;
pub mod cart;
mod cart_out;

use crate::{
    access::PathOwner,
    app::App,
    error::{ApiError, Refusal},
    services::cart::require_session,
};

/// What a call asks for. The update that follows signs the caller in; where a refusal leaves none to follow, a caller who
/// isn't signed in must still hear that first.
async fn signed_in_first<T>(app: &App, owner: &PathOwner, asked: Result<T, ApiError>) -> Result<T, ApiError> {
    if asked.is_err() {
        require_session(app, owner.0).await.map_err(Refusal::into_error)?;
    }
    asked
}
