//! Images as files in a folder of this server, served at `/media/`.

use std::{collections::BTreeSet, fs, io, path::PathBuf};

use rustix::fs::statvfs;

use super::HomeUnavailable;
use crate::images::{
    key::{self, ImageKey, MEDIA},
    picture::Picture,
};

/// The folder. It is created with the first image.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
    /// Bytes of the disk that must stay free.
    reserve: u64,
}

/// An image as it is served.
pub struct StoredFile {
    /// Contents of the file.
    pub bytes: Vec<u8>,
    /// Value for the header `Content-Type`.
    pub content_type: &'static str,
}

impl Folder {
    /// Creates a home for images below `path`. It takes no images while fewer than `reserve` bytes of the disk are
    /// free.
    pub fn new(path: PathBuf, reserve: u64) -> Self {
        Self { path, reserve }
    }

    /// Returns whether there is room for more images; true if the system doesn't tell, since writing then fails by
    /// itself.
    pub fn has_room(&self) -> bool {
        // The folder may not exist yet; the nearest parent that exists is on the same disk.
        let disk = self.path.ancestors().find_map(|folder| statvfs(folder).ok());
        disk.is_none_or(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) >= self.reserve)
    }

    /// Keeps an image and returns its URL.
    pub async fn keep(&self, name: &str, picture: Picture) -> Result<String, HomeUnavailable> {
        let (folder, path) = (self.path.clone(), self.path.join(name));
        let written = run_blocking(move || {
            fs::create_dir_all(folder)?;
            fs::write(path, &picture.bytes)
        });
        written.await.map_err(|error| {
            tracing::error!(%error, "an image can't be written");
            HomeUnavailable
        })?;
        Ok(format!("{MEDIA}{name}"))
    }

    /// Removes an image; succeeds if it is gone already, or if the shop gives no such names.
    pub async fn remove(&self, name: &str) -> Result<(), HomeUnavailable> {
        if key::content_type(name).is_none() {
            return Ok(());
        }
        let path = self.path.join(name);
        match run_blocking(move || fs::remove_file(path)).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%error, "an image can't be removed");
                Err(HomeUnavailable)
            }
            _ => Ok(()),
        }
    }

    /// Returns those of the URLs below `/media/` at which there is no image. A URL counts as shown if the system
    /// doesn't tell whether its file exists.
    pub async fn missing(&self, mut urls: BTreeSet<String>) -> BTreeSet<String> {
        let folder = self.path.clone();
        let is_missing = move |url: &String| match ImageKey::shown_at(url).first() {
            Some(key) => fs::metadata(folder.join(key.name())).is_err_and(|e| e.kind() == io::ErrorKind::NotFound),
            None => true,
        };
        let looked = run_blocking(move || {
            urls.retain(is_missing);
            Ok(urls)
        });
        looked.await.unwrap_or_default()
    }

    /// Reads an image by the last part of its URL; `None` if there is no such image or the shop gives no such names.
    pub async fn read(&self, name: &str) -> io::Result<Option<StoredFile>> {
        let Some(content_type) = key::content_type(name) else { return Ok(None) };
        let path = self.path.join(name);
        match run_blocking(move || fs::read(path)).await {
            Ok(bytes) => Ok(Some(StoredFile { bytes, content_type })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

async fn run_blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}
