//! Where pictures are kept: here a folder, served at `/media/`.

use std::{fs, io, path::PathBuf};

use crate::domain::picture::Picture;

/// Below this the pictures are served.
const BASE: &str = "/media/";
/// Bytes of a random name.
const NAME_BYTES: usize = 16;

/// A store for pictures.
#[derive(Debug, Clone)]
pub enum Images {
    /// A local folder, made when the first picture comes.
    Local(PathBuf),
}

/// A picture as it is served.
pub struct Kept {
    /// The file.
    pub bytes: Vec<u8>,
    /// What it is.
    pub content_type: &'static str,
}

impl Images {
    /// Keeps a picture under a name that can't be guessed, and returns its URL.
    pub async fn keep(&self, picture: Picture) -> io::Result<String> {
        let Self::Local(folder) = self.clone();
        blocking(move || {
            fs::create_dir_all(&folder)?;
            let name = format!("{}.{}", random_name()?, picture.extension);
            let path = folder.join(&name);
            if let Err(error) = fs::write(&path, &picture.bytes) {
                let _a_part_may_not_even_exist = fs::remove_file(&path);
                return Err(error);
            }
            Ok(format!("{BASE}{name}"))
        })
        .await
    }

    /// Removes the picture at a URL. One that stays behind does no harm, so failing is only logged.
    pub async fn discard(&self, url: &str) {
        let Some((name, _)) = url.strip_prefix(BASE).and_then(known_name) else { return };
        let Self::Local(folder) = self;
        let path = folder.join(name);
        match blocking(move || fs::remove_file(path)).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%error, "a picture that nobody shows any more stays on disk");
            }
            _ => {}
        }
    }

    /// Reads a picture by the last part of its URL; `None` when there is none.
    pub async fn read(&self, name: &str) -> io::Result<Option<Kept>> {
        let Some((name, content_type)) = known_name(name) else { return Ok(None) };
        let Self::Local(folder) = self;
        let path = folder.join(name);
        match blocking(move || fs::read(path)).await {
            Ok(bytes) => Ok(Some(Kept { bytes, content_type })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// A name that this store gives, so that no other file can be meant, and what it holds.
fn known_name(name: &str) -> Option<(&str, &'static str)> {
    let (random, extension) = name.split_once('.')?;
    let content_type = match extension {
        "jpg" => "image/jpeg",
        "webp" => "image/webp",
        _ => return None,
    };
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (random.len() == 2 * NAME_BYTES && random.bytes().all(hex)).then_some((name, content_type))
}

fn random_name() -> io::Result<String> {
    let mut bytes = [0; NAME_BYTES];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_its_own_making_are_known() {
        let good = "0123456789abcdef0123456789abcdef";
        assert!(known_name(&format!("{good}.jpg")).is_some());
        for bad in ["", "a.jpg", "../0123456789abcdef0123456789abcde.jpg", "0123456789abcdef0123456789abcdef.png"] {
            assert!(known_name(bad).is_none(), "{bad}");
        }
    }
}
