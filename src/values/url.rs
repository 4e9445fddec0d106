//! URLs that are stored and shown, never fetched, and the URL at which the shop itself is reached.

use serde::{Deserialize, Serialize};

use super::text_value::text_values;

/// The address of an image: `https://…`, `http://…` or a path below `/media/`, at most 2,048 characters.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ImageUrl(String);

/// The path below which the images of this server are served.
const MEDIA: &str = "/media/";

text_values!(ImageUrl);

impl ImageUrl {
    /// Checks a trimmed text; returns `None` if it isn't such an address. This also refuses schemes that a browser
    /// would execute, such as `javascript:`.
    pub fn parse(text: &str) -> Option<Self> {
        let is_plain =
            text.chars().count() <= 2_048 && !text.contains(|c: char| c.is_whitespace() || "\"<>\\".contains(c));
        let names_a_host = |rest: &str| !rest.is_empty() && !rest.starts_with(['/', '?', '#']);
        let is_absolute =
            ["https://", "http://"].iter().any(|scheme| text.strip_prefix(scheme).is_some_and(names_a_host));
        let is_local = text
            .strip_prefix(MEDIA)
            .is_some_and(|rest| !rest.is_empty() && !rest.split('/').any(|part| part == "..") && !rest.contains('%'));
        (is_plain && (is_absolute || is_local)).then(|| Self(text.to_owned()))
    }
}

/// The URL at which browsers reach this server, without a final slash, such as `https://api.example.com`. The default
/// stands for a URL that nobody has named.
///
/// Images of this server are stored as paths below `/media/`, so that they outlive a move to another host. With a
/// public URL, callers see them as whole URLs, and may send either form.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// Creates a public URL from one that begins with `https://` or `http://` and has no final slash.
    pub fn new(url: String) -> Self {
        Self(url)
    }

    /// Returns an image's URL as callers see it.
    pub fn shown(&self, url: &str) -> String {
        if url.starts_with(MEDIA) { format!("{}{url}", self.0) } else { url.to_owned() }
    }

    /// Returns an image's URL as it is stored: a path if it names an image of this server, else as it came.
    pub fn stored<'a>(&self, url: &'a str) -> &'a str {
        let (own, path) = url.split_at_checked(self.0.len()).unwrap_or_default();
        let is_own = !own.is_empty() && own.eq_ignore_ascii_case(&self.0) && path.starts_with(MEDIA);
        if is_own && ImageUrl::parse(path).is_some() { path } else { url }
    }

    /// Returns an image's URL as it is stored, see [`PublicUrl::stored`].
    pub fn stored_image(&self, url: ImageUrl) -> ImageUrl {
        ImageUrl::parse(self.stored(&url.0)).unwrap_or(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_images_are_stored_as_paths_and_shown_as_whole_urls() {
        let public = PublicUrl::new("https://api.example.com:8443/shop".to_owned());
        let whole = "https://api.example.com:8443/shop/media/a.jpg";
        for form in ["/media/a.jpg", whole, "HTTPS://API.example.com:8443/shop/media/a.jpg"] {
            assert_eq!(public.stored(form), "/media/a.jpg", "{form}");
        }
        assert_eq!(public.shown("/media/a.jpg"), whole);
        for other in [
            "https://api.example.com/media/a.jpg",
            "https://api.example.com:8443/shop/x/media/a.jpg",
            "https://api.example.com:8443/shop.evil.example/media/a.jpg",
            "https://api.example.com:8443/shop/media/../a.jpg",
            "https://api.example.com:8443/shop/media/",
            "http://api.example.com:8443/shop/media/a.jpg",
            "https://images.example.com/ब्रेक.jpg",
            "",
        ] {
            assert_eq!(public.stored(other), other);
            assert_eq!(public.shown(other), other);
        }
        let unnamed = PublicUrl::default();
        assert_eq!((unnamed.shown("/media/a.jpg").as_str(), unnamed.stored(whole)), ("/media/a.jpg", whole));
    }

    #[test]
    fn only_web_addresses_and_own_media_are_kept() {
        for good in ["https://example.com/a.png", "http://cdn/a", "/media/ab/cd.png"] {
            assert!(ImageUrl::parse(good).is_some(), "{good}");
        }
        let long = format!("https://example.com/{}", "a".repeat(2_048));
        for bad in [
            "",
            "a.png",
            "/a.png",
            "/media/",
            "/media/../x",
            "/media/a/..%2f",
            "/media/%2e%2e/x",
            "https://",
            "https:///x",
            "javascript:alert(1)",
            "data:image/png;base64,AA",
            "ftp://x/y",
            "https://a b",
            "https://a\"b",
            long.as_str(),
        ] {
            assert!(ImageUrl::parse(bad).is_none(), "{bad}");
        }
    }
}
