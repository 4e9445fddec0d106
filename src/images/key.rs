//! Names of the images that the shop keeps.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The home of images in a folder of this server, as keys name it.
pub const LOCAL: &str = "local";
/// The home of images in an object store, as keys name it.
pub const OBJECTS: &str = "objects";
/// The home of images at Cloudinary, as keys name it.
pub const CLOUDINARY: &str = "cloudinary";
/// The endings of the files that the shop writes.
const EXTENSIONS: [&str; 2] = ["jpg", "webp"];
/// Path below which the images of that folder are served.
pub const MEDIA: &str = "/media/";
/// Bytes of the random part of a name. With 16 bytes, names can't be guessed.
const RANDOM_BYTES: usize = 16;
/// Bytes of the hash of the contents that a name contains.
const HASH_BYTES: usize = 8;

/// The key of an image that belongs to one document. It consists of the home, which is the place that holds the image,
/// and the image's name there: `local/0123456789abcdef0123456789abcdef-0123456789abcdef.jpg`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ImageKey(String);

impl ImageKey {
    /// Creates a new key at `home`. Its name has a random part, so that no two images have the same key, and the hash
    /// of `contents`. Fails if the system has no random numbers.
    pub fn fresh(home: &str, contents: &[u8], extension: &str) -> Result<Self, getrandom::Error> {
        let mut random = [0; RANDOM_BYTES];
        getrandom::fill(&mut random)?;
        let hash = Sha256::digest(contents);
        Ok(Self(format!("{home}/{}-{}.{extension}", hex::encode(random), hex::encode(&hash[..HASH_BYTES]))))
    }

    /// Returns the key of the image called `name` at `home`.
    pub fn of(home: &str, name: &str) -> Self {
        Self(format!("{home}/{name}"))
    }

    /// Returns the keys that images of the shop at this URL may have; none if the shop gives no such names.
    ///
    /// A path below `/media/` is served by this server and names one image. Any other URL may be that of any home,
    /// under any domain, and with any ending, because a home may convert images. The random part of the name tells
    /// which.
    pub fn shown_at(url: &str) -> Vec<Self> {
        let path = url.split(['?', '#']).next().unwrap_or_default();
        let mut parts = path.split('/').filter(|part| !part.is_empty());
        let Some(name) = parts.next_back() else { return Vec::new() };
        if url.starts_with(MEDIA) {
            let is_served = parts.eq(["media"]) && content_type(name).is_some();
            return is_served.then(|| Self::of(LOCAL, name)).into_iter().collect();
        }
        // The scheme and the host stand before the path.
        let has_path = parts.count() >= 2;
        let stem = name.split('.').next().filter(|stem| has_path && is_random_name(stem));
        let of_home = |home| {
            stem.into_iter().flat_map(move |stem| EXTENSIONS.map(|end| Self::of(home, &format!("{stem}.{end}"))))
        };
        [LOCAL, OBJECTS, CLOUDINARY].into_iter().flat_map(of_home).collect()
    }

    /// Returns the home that holds the image.
    pub fn home(&self) -> &str {
        self.0.split_once('/').map_or("", |(home, _)| home)
    }

    /// Returns the name of the image at its home.
    pub fn name(&self) -> &str {
        self.0.split_once('/').map_or(self.0.as_str(), |(_, name)| name)
    }
}

/// Returns the content type of an image by its name; `None` if the shop gives no such names. Names without a hash were
/// given by older versions.
pub fn content_type(name: &str) -> Option<&'static str> {
    let (stem, extension) = name.split_once('.')?;
    let content_type = match extension {
        "jpg" => "image/jpeg",
        "webp" => "image/webp",
        _ => return None,
    };
    is_random_name(stem).then_some(content_type)
}

/// Returns whether the shop gives images such names, without their ending.
fn is_random_name(stem: &str) -> bool {
    let (random, hash) = stem.split_once('-').map_or((stem, None), |(random, hash)| (random, Some(hash)));
    let is_hex = |text: &str, bytes: usize| {
        text.len() == 2 * bytes && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    is_hex(random, RANDOM_BYTES) && hash.is_none_or(|hash| is_hex(hash, HASH_BYTES))
}

impl fmt::Display for ImageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<ImageKey> for bson::Bson {
    fn from(key: ImageKey) -> Self {
        key.0.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_its_home_and_is_never_given_twice() {
        let [one, other] = [0, 1].map(|_| ImageKey::fresh("local", b"picture", "jpg").expect("a key"));
        assert_ne!(one, other);
        assert_eq!((one.home(), content_type(one.name())), ("local", Some("image/jpeg")));
        // The same contents have the same hash.
        assert_eq!(one.name()[32..], other.name()[32..]);
        assert_eq!(ImageKey::of(one.home(), one.name()), one);
    }

    #[test]
    fn only_names_of_the_shop_s_own_making_are_known() {
        let random = "0123456789abcdef0123456789abcdef";
        assert!(content_type(&format!("{random}.jpg")).is_some());
        assert!(content_type(&format!("{random}-0123456789abcdef.webp")).is_some());
        for bad in [
            "",
            "a.jpg",
            "../0123456789abcdef0123456789abcde.jpg",
            "0123456789abcdef0123456789abcdef.png",
            "0123456789abcdef0123456789abcdef-.jpg",
            "0123456789abcdef0123456789abcdef-0123456789abcdeF.jpg",
            "0123456789abcdef0123456789abcdef-0123456789abcdef.jpg.exe",
        ] {
            assert!(content_type(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn an_image_is_recognised_at_every_url_that_shows_it() {
        let name = "0123456789abcdef0123456789abcdef-0123456789abcdef.jpg";
        let local = ImageKey::of(LOCAL, name);
        for url in ["/media/NAME", "/media/NAME?v=2", "/media/NAME#top", "/media//NAME/"] {
            assert_eq!(ImageKey::shown_at(&url.replace("NAME", name)), std::slice::from_ref(&local), "{url}");
        }
        for url in ["/media/a/NAME", "/media/a.png", "/media/", "https://example.com/a.png", "https://NAME.com/"] {
            assert!(ImageKey::shown_at(&url.replace("NAME", name)).is_empty(), "{url}");
        }
        let remote = ["https://shop.example.com/media/NAME", "https://res.example.com/w_200/v1/myspares/NAME?a"];
        for url in remote.map(|url| url.replace("NAME", name)) {
            let keys = ImageKey::shown_at(&url);
            for home in [LOCAL, OBJECTS, CLOUDINARY] {
                assert!(keys.contains(&ImageKey::of(home, name)), "{url} {home}");
            }
            assert_eq!(ImageKey::shown_at(&url.replace(".jpg", ".png")), keys, "another ending");
        }
    }
}
