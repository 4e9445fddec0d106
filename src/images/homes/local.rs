//! Images as files in a folder, served at `/media/`.

use std::{fs, io, path::PathBuf};

use rustix::fs::statvfs;

use super::HomeUnavailable;
use crate::images::{
    key::{self, MEDIA},
    picture::Picture,
};

/// The folder, made when the first image comes.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
    /// Bytes of its disk that images leave alone.
    reserve: u64,
}

/// An image as it is served.
pub struct Kept {
    /// The file.
    pub bytes: Vec<u8>,
    /// What it is.
    pub content_type: &'static str,
}

impl Folder {
    /// Images below `path`, which stop while less than `reserve` bytes of the disk are free.
    pub fn new(path: PathBuf, reserve: u64) -> Self {
        Self { path, reserve }
    }

    /// Whether there is room for more images. A disk that can't be asked is left to say so when it is written to.
    pub fn has_room(&self) -> bool {
        // The folder itself may still have to be made.
        let disk = self.path.ancestors().find_map(|folder| statvfs(folder).ok());
        disk.is_none_or(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) >= self.reserve)
    }

    /// Keeps an image and returns its URL.
    pub async fn keep(&self, name: &str, picture: Picture) -> Result<String, HomeUnavailable> {
        let (folder, path) = (self.path.clone(), self.path.join(name));
        let kept = blocking(move || {
            fs::create_dir_all(folder)?;
            fs::write(path, &picture.bytes)
        });
        kept.await.map_err(|error| {
            tracing::error!(%error, "an image can't be written");
            HomeUnavailable
        })?;
        Ok(format!("{MEDIA}{name}"))
    }

    /// Removes an image; that there is none is as good.
    pub async fn remove(&self, name: &str) -> Result<(), HomeUnavailable> {
        if key::content_type(name).is_none() {
            return Ok(());
        }
        let path = self.path.join(name);
        match blocking(move || fs::remove_file(path)).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%error, "an image can't be removed");
                Err(HomeUnavailable)
            }
            _ => Ok(()),
        }
    }

    /// Reads an image by the last part of its URL; `None` when there is none, or the shop gives no such names.
    pub async fn read(&self, name: &str) -> io::Result<Option<Kept>> {
        let Some(content_type) = key::content_type(name) else { return Ok(None) };
        let path = self.path.join(name);
        match blocking(move || fs::read(path)).await {
            Ok(bytes) => Ok(Some(Kept { bytes, content_type })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}
