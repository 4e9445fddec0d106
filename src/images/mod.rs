//! Images that people upload. Each is drawn anew, kept, and removed once no document shows it.
//!
//! An image and the document that shows it are stored in different places, so a crash may come between them. The
//! collection `image_trash` makes sure that no image is then left over. It lists the images that are to be removed:
//!
//! | Step | What happens | After a crash here |
//! |---|---|---|
//! | 1 | `keep` adds the image's key to `image_trash`, due in an hour. | The worker removes the key in an hour. |
//! | 2 | `keep` stores the image. | The worker removes the image and the key in an hour. |
//! | 3 | The transaction that stores the document takes the key out (`ImageTrash::claim_in`). | The image stays. |
//!
//! A transaction that stores a URL of an image that the shop has already takes its key out as well
//! (`ImageTrash::claim_shown_in`), and one that removes an image from a document adds its key
//! (`ImageTrash::discard_in`). Such an image stays in the trash for some days, and then the worker asks whether any
//! document shows it. The collection `image_files` makes the worker's decision and a new reference exclude each other.

pub mod drawing;
mod error;
pub mod homes;
pub mod key;
pub mod picture;
pub(crate) mod store;
pub mod variants;

use std::{collections::BTreeSet, time::Duration};

use bytes::Bytes;

pub use self::{error::ImageError, picture::PictureKind};
use self::{homes::HomeUnavailable, key::ImageKey, picture::Picture, store::TrashDoc};
use crate::{
    app::App,
    db::StoreError,
    values::{
        backoff::Backoff,
        url::{ImageUrl, PublicUrl},
    },
};

/// Time within which a document must claim an image that was kept for it.
const CLAIM_LIMIT: Duration = Duration::from_secs(60 * 60);
/// Time for which the process that has begun to remove an image is the only one to do so.
const REMOVAL_LIMIT: Duration = Duration::from_secs(2 * 60);
/// Pauses after failures to remove an image.
const RETRY_PAUSES: Backoff = Backoff { first: Duration::from_secs(60), longest: Duration::from_secs(6 * 60 * 60) };

/// An image that is kept and that no document shows yet.
#[derive(Debug, Clone)]
pub struct NewImage {
    /// Key by which a document claims the image.
    pub key: ImageKey,
    /// Address at which the image is shown.
    pub url: ImageUrl,
}

/// Draws and keeps an image for a document. The document must claim its key within an hour; otherwise the image is
/// removed. Waits while other images are drawn, and fails with [`ImageError::Busy`] if too many wait already.
pub async fn keep(app: &App, bytes: Bytes, kind: PictureKind) -> Result<NewImage, ImageError> {
    if !app.images.has_room() {
        tracing::warn!("images are refused: less than DISK_RESERVE_MB of the disk is free");
        return Err(ImageError::Full);
    }
    keep_drawn(app, app.drawing.draw(bytes.into(), kind).await?).await
}

/// Keeps an image that is drawn already, as [`keep`] does.
pub async fn keep_drawn(app: &App, picture: Picture) -> Result<NewImage, ImageError> {
    let key = app.images.fresh_key(&picture)?;
    app.store.image_trash.reserve(&key, app.clock.now().after(CLAIM_LIMIT)).await?;
    // If this fails, the key stays in the trash, because the store may have kept the image all the same.
    let url = app.images.keep(&key, picture, app.clock.now()).await?;
    Ok(NewImage { key, url })
}

/// Draws an image and keeps nothing, to find out whether [`keep`] would take it.
pub async fn check(app: &App, bytes: Bytes, kind: PictureKind) -> Result<(), ImageError> {
    app.drawing.draw(bytes.into(), kind).await.map(drop)
}

/// Makes an image due for removal now, because its document was refused. Does nothing if a document has claimed the
/// image after all. An error is only logged: the image is then removed when the time for claiming it has passed.
pub async fn discard_now(app: &App, image: NewImage) {
    if let Err(error) = app.store.image_trash.hasten(&image.key, app.clock.now()).await {
        tracing::warn!(%error, "an image that no document shows is removed later");
    }
}

/// Returns the URL of an image as documents store it, from any URL under which the shop shows the image: a path for an
/// image of this server, and that of the image itself for a variant.
pub fn stored_url(public_url: &PublicUrl, url: ImageUrl) -> ImageUrl {
    let stored = public_url.stored_image(url);
    ImageUrl::parse(&variants::original_url(stored.as_str())).unwrap_or(stored)
}

/// Returns those of the URLs that are below `/media/` and show nothing.
pub async fn missing<'a>(app: &App, urls: impl IntoIterator<Item = &'a ImageUrl>) -> BTreeSet<String> {
    app.images.missing(urls.into_iter().map(ToString::to_string).collect()).await
}

/// Returns those of some URLs whose images are removed, or are about to be. A document that named one of them from now
/// on would not show it for long.
pub async fn gone(app: &App, urls: &BTreeSet<String>) -> Result<BTreeSet<String>, StoreError> {
    app.store.image_trash.gone(urls).await
}

/// Takes the next image that is due for removal; `None` if none is. Other calls don't get the same image for two
/// minutes.
pub async fn begin_removal(app: &App) -> Result<Option<TrashDoc>, StoreError> {
    let now = app.clock.now();
    app.store.image_trash.begin(now, now.before(app.config.image_trash), now.after(REMOVAL_LIMIT)).await
}

/// Removes an image and its key, unless a document shows the image. If the place where it is kept can't be reached, the
/// removal is tried again later, without a limit on the number of attempts.
pub async fn remove(app: &App, trash: &TrashDoc) -> Result<(), StoreError> {
    let Some(trash) = app.store.image_trash.condemn(trash, app.clock.now()).await? else { return Ok(()) };
    match app.images.remove(&trash.key, app.clock.now()).await {
        Ok(()) => app.store.image_trash.forget(&trash).await,
        Err(HomeUnavailable) => {
            let next_attempt = app.clock.now().after(RETRY_PAUSES.pause_after(trash.attempts));
            app.store.image_trash.postpone(&trash, next_attempt).await
        }
    }
}
