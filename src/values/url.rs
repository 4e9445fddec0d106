//! URLs that are stored and shown, never fetched.

use serde::{Deserialize, Serialize};

use super::text_value::text_values;

/// The address of an image: `https://…`, `http://…` or a path below `/media/`, at most 2,048 characters.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ImageUrl(String);

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
            .strip_prefix("/media/")
            .is_some_and(|rest| !rest.is_empty() && !rest.split('/').any(|part| part == "..") && !rest.contains('%'));
        (is_plain && (is_absolute || is_local)).then(|| Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
