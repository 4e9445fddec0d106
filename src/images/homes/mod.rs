//! The homes of images, which are the places where they are kept: a local folder, an object store, or Cloudinary.

mod cloudinary;
mod local;
mod objects;

use std::collections::BTreeSet;

pub use self::local::StoredFile;
use self::{
    cloudinary::Cloudinary,
    local::Folder,
    objects::{Objects, UnusableStore},
};
use super::{
    key::{CLOUDINARY, ImageKey, LOCAL, MEDIA, OBJECTS},
    picture::Picture,
};
use crate::{
    config::{Config, ImageHome},
    values::{time::Timestamp, url::ImageUrl},
};

/// The home that the settings name for new images, and the folder of this server. The folder may still hold images from
/// before another home was set.
pub struct Images {
    folder: Folder,
    remote: Option<Remote>,
}

/// A home outside this server.
enum Remote {
    Objects(Objects),
    Cloudinary(Cloudinary),
}

/// The error for a home that can't be reached or that refuses an image. The log says why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the image store is unavailable, try again soon")]
pub struct HomeUnavailable;

/// The error for settings from which no home can be opened.
#[derive(Debug, thiserror::Error)]
pub enum UnusableHome {
    /// The object store can't be used.
    #[error(transparent)]
    Objects(#[from] UnusableStore),
    /// The HTTP client for Cloudinary can't be made.
    #[error("Cloudinary: {0}")]
    Cloudinary(#[from] reqwest::Error),
}

impl Remote {
    /// Returns the home's name in keys.
    fn name(&self) -> &'static str {
        match self {
            Self::Objects(_) => OBJECTS,
            Self::Cloudinary(_) => CLOUDINARY,
        }
    }
}

impl Images {
    /// Opens the home that the settings name, without sending anything to it.
    pub fn open(config: &Config) -> Result<Self, UnusableHome> {
        let remote = match &config.images {
            ImageHome::Folder => None,
            ImageHome::Objects(account) => Some(Remote::Objects(Objects::open(account)?)),
            ImageHome::Cloudinary(account) => Some(Remote::Cloudinary(Cloudinary::new(account)?)),
        };
        Ok(Self { folder: Folder::new(config.data_dir.join("media"), config.disk_reserve), remote })
    }

    /// Returns whether the home has room for more images. Always true for a home outside this server, which refuses an
    /// image itself when it is full.
    pub fn has_room(&self) -> bool {
        self.remote.is_some() || self.folder.has_room()
    }

    /// Creates a key for an image that is to be kept.
    pub fn fresh_key(&self, picture: &Picture) -> Result<ImageKey, HomeUnavailable> {
        let home = self.remote.as_ref().map_or(LOCAL, Remote::name);
        ImageKey::fresh(home, &picture.bytes, picture.width, picture.extension).map_err(|_| HomeUnavailable)
    }

    /// Keeps an image and its variants under its key and returns its URL. The key must come from [`Images::fresh_key`].
    pub async fn keep(&self, key: &ImageKey, picture: Picture, now: Timestamp) -> Result<ImageUrl, HomeUnavailable> {
        let url = match &self.remote {
            None => self.folder.keep(key.name(), picture).await,
            Some(Remote::Objects(objects)) => objects.keep(key.name(), picture).await,
            Some(Remote::Cloudinary(cloudinary)) => cloudinary.keep(key.name(), picture, now).await,
        };
        ImageUrl::parse(&url?).ok_or_else(|| {
            tracing::warn!(%key, "the image store gave an image no URL that can be shown");
            HomeUnavailable
        })
    }

    /// Removes an image and its variants; succeeds if they are gone already. Fails if its home is neither the folder
    /// nor the one that the settings name.
    pub async fn remove(&self, key: &ImageKey, now: Timestamp) -> Result<(), HomeUnavailable> {
        match &self.remote {
            _ if key.home() == LOCAL => self.folder.remove(key.name()).await,
            Some(remote) if remote.name() == key.home() => match remote {
                Remote::Objects(objects) => objects.remove(key.name()).await,
                Remote::Cloudinary(cloudinary) => cloudinary.remove(key.name(), now).await,
            },
            _ => {
                tracing::warn!(%key, "an image can't be removed: the settings don't name its home any more");
                Err(HomeUnavailable)
            }
        }
    }

    /// Returns those of the URLs that are below `/media/` and show nothing, because the folder of this server has no
    /// such image.
    pub async fn missing(&self, urls: BTreeSet<String>) -> BTreeSet<String> {
        let own: BTreeSet<String> = urls.into_iter().filter(|url| url.starts_with(MEDIA)).collect();
        if own.is_empty() { own } else { self.folder.missing(own).await }
    }

    /// Reads an image from the folder of this server by the last part of its URL, or the variant of it for a place of
    /// `width` pixels; `None` if there is no such image.
    pub async fn read(&self, name: &str, width: Option<u32>) -> std::io::Result<Option<StoredFile>> {
        self.folder.read(name, width).await
    }
}
