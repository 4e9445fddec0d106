//! The picture of an account.

use super::store::{Account, Display};
use crate::{
    app::App,
    db::StoreError,
    images::{self, Kind, drawing::ImageError},
    limits::{self, Count, LimitError},
    values::{ids::SessionRef, limits::Action},
};

/// Why the picture isn't changed.
#[derive(Debug, thiserror::Error)]
pub enum PhotoError {
    /// It isn't kept.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// Too many pictures.
    #[error(transparent)]
    Limited(#[from] LimitError),
    /// The session is not alive any more.
    #[error("invalid or expired access token")]
    SignedOut,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Shows the account with another picture.
pub async fn set(app: &App, caller: SessionRef, bytes: Vec<u8>) -> Result<Account, PhotoError> {
    limits::take(app, [Count::of(Action::Photo, caller.user.to_string())]).await?;
    let image = images::keep(app, bytes, Kind::Photo).await?;
    let display = Display::of_upload(image.key.clone(), &image.url, app.clock.now());
    match app.store.users.set_display(caller, Some(&display), app.clock.now()).await {
        Ok(changed) => changed.ok_or(PhotoError::SignedOut),
        Err(error) => {
            images::discard_now(app, image).await;
            Err(error.into())
        }
    }
}

/// Shows the account without a picture.
pub async fn remove(app: &App, caller: SessionRef) -> Result<Account, PhotoError> {
    app.store.users.set_display(caller, None, app.clock.now()).await?.ok_or(PhotoError::SignedOut)
}
