//! Entity tags (RFC 9110, section 8.8.3): what an answer's bytes are called, and what a caller says to know already.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use poem::http::{HeaderName, HeaderValue};
use sha2::{Digest, Sha256};

/// Bytes of a digest that go into a tag: enough that two bodies never share one.
const DIGEST_BYTES: usize = 12;

/// The strong tag of a body, with its quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ETag(String);

impl ETag {
    /// The tag of these bytes.
    pub fn of(body: &[u8]) -> Self {
        let digest = Sha256::digest(body);
        Self(format!("\"{}\"", URL_SAFE_NO_PAD.encode(&digest[..DIGEST_BYTES])))
    }

    /// Whether a list of tags as in `If-None-Match` and `If-Match` names this one, or all. A `W/` is passed over: gzip
    /// on the way makes proxies write it, and it still means the same state.
    pub fn is_named_by(&self, list: &str) -> bool {
        list.split(',').map(str::trim).any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == self.0)
    }

    /// The tag as a header's value.
    pub fn header(&self) -> HeaderValue {
        HeaderValue::try_from(&self.0).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
    }
}

/// All lines of a header as one list (RFC 9110, section 5.3).
pub fn list(headers: &poem::http::HeaderMap, name: HeaderName) -> Option<String> {
    let lines: Vec<&str> = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok()).collect();
    (!lines.is_empty()).then(|| lines.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_found_in_a_list() {
        let tag = ETag::of(b"{}");
        let text = tag.header().to_str().expect("a text").to_owned();
        for list in [text.clone(), format!("W/{text}"), format!("\"other\", {text}"), "*".to_owned()] {
            assert!(tag.is_named_by(&list), "{list}");
        }
        for list in ["", "\"\"", "\"other\"", text.trim_matches('"')] {
            assert!(!tag.is_named_by(list), "{list}");
        }
        assert_ne!(tag, ETag::of(b"{ }"));
    }
}
