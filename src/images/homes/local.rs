//! Images as files in a folder of this server, served at `/media/`.

use std::{
    borrow::Cow,
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use rustix::fs::statvfs;

use super::HomeUnavailable;
use crate::images::{
    key::{self, ImageKey, MEDIA},
    picture::Picture,
    variants,
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
    /// Name of the file.
    pub name: String,
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

    /// Keeps an image with its variants and returns its URL.
    pub async fn keep(&self, name: &str, picture: Picture) -> Result<String, HomeUnavailable> {
        let (folder, files) = (self.path.clone(), picture.into_files(name));
        let written = run_blocking(move || {
            fs::create_dir_all(&folder)?;
            files.into_iter().try_for_each(|(name, bytes)| fs::write(folder.join(name), bytes))
        });
        written.await.map_err(|error| {
            tracing::error!(%error, "an image can't be written");
            HomeUnavailable
        })?;
        Ok(format!("{MEDIA}{name}"))
    }

    /// Removes an image with its variants; succeeds if they are gone already, or if the shop gives no such names.
    pub async fn remove(&self, name: &str) -> Result<(), HomeUnavailable> {
        if key::content_type(name).is_none() {
            return Ok(());
        }
        let (folder, names) = (self.path.clone(), [variants::names_of(name), vec![name.to_owned()]].concat());
        let removed = run_blocking(move || names.iter().try_for_each(|name| remove_file(&folder.join(name))));
        removed.await.map_err(|error| {
            tracing::warn!(%error, "an image can't be removed");
            HomeUnavailable
        })
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

    /// Reads an image by the last part of its URL, or the variant of it for a place of `width` pixels. Returns `None`
    /// if there is no such image or the shop gives no such names, and the image if the variant was lost.
    pub async fn read(&self, name: &str, width: Option<u32>) -> io::Result<Option<StoredFile>> {
        let wanted = width.map_or(Cow::Borrowed(name), |width| variants::name_for(name, width));
        if wanted != name
            && let Some(variant) = self.read_file(&wanted).await?
        {
            return Ok(Some(variant));
        }
        self.read_file(name).await
    }

    async fn read_file(&self, name: &str) -> io::Result<Option<StoredFile>> {
        let Some(content_type) = key::content_type(name) else { return Ok(None) };
        let path = self.path.join(name);
        match run_blocking(move || fs::read(path)).await {
            Ok(bytes) => Ok(Some(StoredFile { name: name.to_owned(), bytes, content_type })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Removes a file; succeeds if it is gone already.
fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

async fn run_blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}
