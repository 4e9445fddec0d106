//! The picture of an account.

use bytes::Bytes;

use super::store::{Account, Display};
use crate::{
    app::App,
    db::StoreError,
    images::{self, ImageError, PictureKind},
    limits::{self, Count, LimitError},
    values::{ids::SessionRef, limits::Action},
};

/// The reason why the picture is not changed.
#[derive(Debug, thiserror::Error)]
pub enum PhotoError {
    /// The image is refused or can't be stored.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// Too many pictures were sent for this account.
    #[error(transparent)]
    Limited(#[from] LimitError),
    /// The session has ended.
    #[error("invalid or expired access token")]
    SignedOut,
    /// The database call failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Stores an image and makes it the picture of the account. Returns the account after the change. An uploaded picture
/// that it replaces is removed in the background.
pub async fn set(app: &App, caller: SessionRef, bytes: Bytes) -> Result<Account, PhotoError> {
    limits::take(app, [Count::of(Action::Photo, caller.user.to_string())]).await?;
    let image = images::keep(app, bytes, PictureKind::Photo).await?;
    let display = Display::of_upload(image.key.clone(), &image.url, app.clock.now());
    match app.store.users.set_display(caller, Some(&display), app.clock.now()).await {
        Ok(Some(account)) => Ok(account),
        refused => {
            images::discard_now(app, image).await;
            Err(refused.map_or_else(PhotoError::from, |_| PhotoError::SignedOut))
        }
    }
}

/// Removes the picture of the account, and returns the account after the change.
pub async fn remove(app: &App, caller: SessionRef) -> Result<Account, PhotoError> {
    app.store.users.set_display(caller, None, app.clock.now()).await?.ok_or(PhotoError::SignedOut)
}
