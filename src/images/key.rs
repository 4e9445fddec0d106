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
    /// of `contents`. `width` is the width of an image that has narrower variants. Fails if the system has no random
    /// numbers.
    pub fn fresh(home: &str, contents: &[u8], width: Option<u32>, extension: &str) -> Result<Self, getrandom::Error> {
        let mut random = [0; RANDOM_BYTES];
        getrandom::fill(&mut random)?;
        let [random, hash] = [&random[..], &Sha256::digest(contents)[..HASH_BYTES]].map(hex::encode);
        let width = width.map_or_else(String::new, |width| format!("-{width}"));
        Ok(Self(format!("{home}/{random}-{hash}{width}.{extension}")))
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
            return is_served.then(|| Self::of(LOCAL, &original(name))).into_iter().collect();
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

/// Returns the content type of an image or a variant of one by its name; `None` if the shop gives no such names. Names
/// without a hash were given by older versions.
pub fn content_type(name: &str) -> Option<&'static str> {
    let (stem, rest) = name.split_once('.')?;
    let is_variant = |part: &str| part.strip_prefix('w').is_some_and(|width| read_width(width).is_some());
    let extension = match rest.split_once('.') {
        Some((variant, extension)) if is_variant(variant) => extension,
        Some(_) => return None,
        None => rest,
    };
    let content_type = match extension {
        "jpg" => "image/jpeg",
        "webp" => "image/webp",
        _ => return None,
    };
    is_random_name(stem).then_some(content_type)
}

/// Returns the width of an image that has narrower variants, by its name or that of a variant.
pub fn width_of(name: &str) -> Option<u32> {
    let stem = name.split('.').next().filter(|stem| is_random_name(stem))?;
    stem.split('-').nth(2).and_then(read_width)
}

/// Returns the name of an image from its own name or that of a variant.
pub(super) fn original(name: &str) -> String {
    match (name.split_once('.'), name.rsplit_once('.')) {
        (Some((stem, _)), Some((_, extension))) => format!("{stem}.{extension}"),
        _ => name.to_owned(),
    }
}

fn read_width(text: &str) -> Option<u32> {
    let is_plain = (1..=4).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    is_plain.then(|| text.parse().ok()).flatten()
}

/// Returns whether the shop gives images such names, without their ending.
fn is_random_name(stem: &str) -> bool {
    let mut parts = stem.splitn(3, '-');
    let random = parts.next().unwrap_or_default();
    let (hash, width) = (parts.next(), parts.next());
    let is_hex = |text: &str, bytes: usize| {
        text.len() == 2 * bytes && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    is_hex(random, RANDOM_BYTES)
        && hash.is_none_or(|hash| is_hex(hash, HASH_BYTES))
        && width.is_none_or(|width| read_width(width).is_some())
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
        let [one, other] = [0, 1].map(|_| ImageKey::fresh("local", b"picture", Some(1600), "jpg").expect("a key"));
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
        assert!(content_type(&format!("{random}-0123456789abcdef-1600.w320.webp")).is_some());
        assert_eq!(width_of(&format!("{random}-0123456789abcdef-1600.w320.webp")), Some(1600));
        for bad in [
            "",
            "a.jpg",
            "../0123456789abcdef0123456789abcde.jpg",
            "0123456789abcdef0123456789abcdef.png",
            "0123456789abcdef0123456789abcdef-.jpg",
            "0123456789abcdef0123456789abcdef-0123456789abcdeF.jpg",
            "0123456789abcdef0123456789abcdef-0123456789abcdef.jpg.exe",
            "0123456789abcdef0123456789abcdef-0123456789abcdef-.jpg",
            "0123456789abcdef0123456789abcdef-0123456789abcdef-0800.jpg",
            "0123456789abcdef0123456789abcdef-0123456789abcdef-1600.w320.w320.jpg",
            "0123456789abcdef0123456789abcdef-0123456789abcdef-1600.320.jpg",
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
        let [wide, narrow] = ["-1600.jpg", "-1600.w320.jpg"].map(|end| name.replace(".jpg", end));
        for url in [&wide, &narrow].map(|name| format!("/media/{name}?w=320")) {
            assert_eq!(ImageKey::shown_at(&url), [ImageKey::of(LOCAL, &wide)], "a variant belongs to its image");
        }
        let at_a_bucket = ImageKey::shown_at(&format!("https://images.example.com/shop/{narrow}"));
        assert!(at_a_bucket.contains(&ImageKey::of(OBJECTS, &wide)));
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
