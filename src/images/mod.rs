//! Images that people send: drawn anew, kept, and removed once no document shows them.
//!
//! The order of things keeps images and documents together whatever is cut off: an image is kept by [`keep`], which writes
//! its key into `image_trash` first; the transaction that stores the document takes the key out again
//! (`ImageTrash::claim_in`), and puts in those of the images that the document showed before (`ImageTrash::discard_in`).

pub mod drawing;
pub mod homes;
pub mod key;
pub mod picture;
pub mod store;

use std::time::Duration;

pub use self::drawing::ImageError;
pub use self::picture::Kind;
use self::{homes::HomeUnavailable, key::ImageKey, store::TrashDoc};
use crate::{app::App, db::StoreError, values::url::ImageUrl};

/// Until when a document must have claimed an image that was kept for it.
const CLAIM_LIMIT: Duration = Duration::from_secs(60 * 60);
/// For how long removing an image is left to whoever has begun it.
const REMOVAL_LIMIT: Duration = Duration::from_secs(2 * 60);
/// How long to wait after the first failure; each pause is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_secs(60);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(6 * 60 * 60);

/// An image that is kept and that no document shows yet.
#[derive(Debug, Clone)]
pub struct NewImage {
    /// Its key.
    pub key: ImageKey,
    /// Where it is.
    pub url: ImageUrl,
}

/// Keeps an image for a document that will claim its key within the hour; otherwise it is removed again.
pub async fn keep(app: &App, bytes: Vec<u8>, kind: Kind) -> Result<NewImage, ImageError> {
    if !app.images.has_room() {
        tracing::warn!("images are refused: less than DISK_RESERVE_MB of the disk is free");
        return Err(ImageError::Full);
    }
    let picture = app.drawing.draw(bytes, kind).await?;
    let key = app.images.fresh_key(&picture)?;
    app.store.image_trash.reserve(&key, app.clock.now().after(CLAIM_LIMIT)).await?;
    // When this fails the key stays in the trash: the image may still arrive where it was sent.
    let url = app.images.keep(&key, picture, app.clock.now()).await?;
    Ok(NewImage { key, url })
}

/// Has an image removed soon whose document was refused. When it was stored after all, nothing happens.
pub async fn discard_now(app: &App, image: NewImage) {
    if let Err(error) = app.store.image_trash.hasten(&image.key, app.clock.now()).await {
        tracing::warn!(%error, "an image that no document shows is removed later");
    }
}

/// Takes up an image that is to be removed.
pub async fn begin_removal(app: &App) -> Result<Option<TrashDoc>, StoreError> {
    let now = app.clock.now();
    app.store.image_trash.begin(now, now.after(REMOVAL_LIMIT)).await
}

/// Removes an image. What can't be removed now is tried again later, for ever.
pub async fn remove(app: &App, trash: &TrashDoc) -> Result<(), StoreError> {
    match app.images.remove(&trash.key, app.clock.now()).await {
        Ok(()) => app.store.image_trash.forget(&trash.key).await,
        Err(HomeUnavailable) => {
            app.store.image_trash.postpone(trash, app.clock.now().after(pause(trash.attempts))).await
        }
    }
}

/// How long to wait after so many attempts.
fn pause(attempts: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(attempts.saturating_sub(1))).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_limit() {
        assert_eq!([1, 2, 3].map(|attempts| pause(attempts).as_secs()), [60, 120, 240]);
        assert_eq!(pause(u32::MAX), LONGEST_PAUSE);
    }
}
