//! Where images are kept.

mod local;

use self::local::Folder;
pub use self::local::Kept;
use crate::{
    config::Config,
    domain::{
        image_key::{ImageKey, LOCAL},
        picture::Picture,
        url::ImageUrl,
    },
};

/// The place where images are kept, and the folder of those that were kept on this machine.
#[derive(Debug)]
pub struct Images {
    folder: Folder,
}

/// The place where an image is kept can't be reached, or doesn't do what it should. Why is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the image store is unavailable, try again soon")]
pub struct HomeUnavailable;

impl Images {
    /// The place that the settings name.
    pub fn new(config: &Config) -> Self {
        Self { folder: Folder::new(config.data_dir.join("media")) }
    }

    /// A key for an image that is to be kept.
    pub fn fresh_key(&self, picture: &Picture) -> Result<ImageKey, HomeUnavailable> {
        ImageKey::fresh(LOCAL, &picture.bytes, picture.extension).map_err(|_| HomeUnavailable)
    }

    /// Keeps an image under its key and returns its URL.
    pub async fn keep(&self, key: &ImageKey, picture: Picture) -> Result<ImageUrl, HomeUnavailable> {
        let url = self.folder.keep(key.name(), picture).await.map_err(|error| {
            tracing::error!(%error, "an image can't be written");
            HomeUnavailable
        })?;
        ImageUrl::parse(&url).ok_or(HomeUnavailable)
    }

    /// Removes an image; that there is none is as good.
    pub async fn remove(&self, key: &ImageKey) -> Result<(), HomeUnavailable> {
        match key.home() {
            LOCAL => self.folder.remove(key.name()).await.map_err(|error| {
                tracing::warn!(%error, %key, "an image can't be removed");
                HomeUnavailable
            }),
            home => {
                tracing::warn!(home, %key, "an image can't be removed: its home is not configured any more");
                Err(HomeUnavailable)
            }
        }
    }

    /// Reads an image of this machine by the last part of its URL.
    pub async fn read(&self, name: &str) -> std::io::Result<Option<Kept>> {
        self.folder.read(name).await
    }
}
