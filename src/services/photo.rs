//! The picture of an account: drawn anew, kept, and removed when another one takes its place.

use super::limits::{self, LimitError};
use crate::{
    app::App,
    domain::{
        ids::SessionRef,
        limits::Action,
        picture::{InvalidPicture, Picture},
    },
    store::{
        StoreError,
        users::{Account, Display},
    },
};

/// Why the picture isn't changed.
#[derive(Debug, thiserror::Error)]
pub enum PhotoError {
    /// It is no picture, or too large a one.
    #[error(transparent)]
    Invalid(#[from] InvalidPicture),
    /// Too many pictures.
    #[error(transparent)]
    Limited(#[from] LimitError),
    /// The session is not alive any more.
    #[error("invalid or expired access token")]
    SignedOut,
    /// The place where pictures are kept.
    #[error("the picture can't be kept")]
    Storage(#[from] std::io::Error),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Shows the account with another picture.
pub async fn set(app: &App, caller: SessionRef, bytes: Vec<u8>) -> Result<Account, PhotoError> {
    limits::take(app, &[(Action::Photo, caller.user.to_string())]).await?;
    let photo = app.images.keep(draw(app, bytes).await?).await?;
    let display = Display { photo, created_at: app.clock.now(), uploaded: true };
    // After a failure of the database nobody knows whether the picture is shown: only a refusal removes it.
    let Some(mut account) = app.store.users.set_display(caller, Some(&display), app.clock.now()).await? else {
        app.images.discard(&display.photo).await;
        return Err(PhotoError::SignedOut);
    };
    discard_upload(app, account.profile.display.replace(display)).await;
    Ok(account)
}

/// Shows the account without a picture.
pub async fn remove(app: &App, caller: SessionRef) -> Result<Account, PhotoError> {
    let before = app.store.users.set_display(caller, None, app.clock.now()).await?;
    let mut account = before.ok_or(PhotoError::SignedOut)?;
    discard_upload(app, account.profile.display.take()).await;
    Ok(account)
}

/// Removes the file behind a picture that is shown no more, if it is the account's own: a URL that somebody typed may
/// name another account's.
pub async fn discard_upload(app: &App, display: Option<Display>) {
    if let Some(display) = display.filter(|display| display.uploaded) {
        app.images.discard(&display.photo).await;
    }
}

/// One at a time: a picture of a few kilobytes can take a hundred megabytes while it is read.
async fn draw(app: &App, bytes: Vec<u8>) -> Result<Picture, PhotoError> {
    let _turn = app.drawing.acquire().await.map_err(std::io::Error::other)?;
    let drawn = tokio::task::spawn_blocking(move || Picture::draw(&bytes)).await;
    // A decoder that panics has met something that is no picture.
    Ok(drawn.map_err(|_| InvalidPicture)??)
}
