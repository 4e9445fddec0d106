//! Entity tags (RFC 9110, section 8.8.3): short names for the bytes of an answer. A caller sends back the tags of the
//! answers that it has already.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use sha2::{Digest, Sha256};

/// Bytes of the SHA-256 digest that a tag contains. With 96 bits, two bodies practically never have the same tag.
const DIGEST_BYTES: usize = 12;

/// The strong tag of a body, including the quotes. Clones share the same memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ETag(Bytes);

impl ETag {
    /// Computes the tag of a body.
    pub fn of(body: &[u8]) -> Self {
        let digest = Sha256::digest(body);
        Self(format!("\"{}\"", URL_SAFE_NO_PAD.encode(&digest[..DIGEST_BYTES])).into())
    }

    /// Creates the tag of something that has a name of its own, which must be plain ASCII without quotes.
    pub fn quoted(name: &str) -> Self {
        Self(format!("\"{name}\"").into())
    }

    /// Returns whether a list of tags, as in `If-None-Match` and `If-Match`, contains this tag or `*`. A prefix `W/` is
    /// ignored: servers and proxies add it when they compress an answer, and the tag still means the same state.
    pub fn is_named_by(&self, list: &str) -> bool {
        let mut tags = list.split(',').map(str::trim);
        tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag).as_bytes() == self.0)
    }

    /// Returns whether a list contains this tag with the prefix `W/`. The caller then has a compressed body.
    pub fn is_weak_in(&self, list: &str) -> bool {
        list.split(',').any(|tag| tag.trim().strip_prefix("W/").is_some_and(|tag| tag.as_bytes() == self.0))
    }

    /// Returns the tag as it is sent, including the quotes.
    pub fn bytes(&self) -> &Bytes {
        &self.0
    }
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_found_in_a_list() {
        let tag = ETag::of(b"{}");
        let text = String::from_utf8(tag.bytes().to_vec()).expect("a text");
        for list in [text.clone(), format!("W/{text}"), format!("\"other\", {text}"), "*".to_owned()] {
            assert!(tag.is_named_by(&list), "{list}");
        }
        for list in ["", "\"\"", "\"other\"", text.trim_matches('"')] {
            assert!(!tag.is_named_by(list), "{list}");
        }
        assert!(tag.is_weak_in(&format!("\"other\", W/{text}")) && !tag.is_weak_in(&text));
        assert_ne!(tag, ETag::of(b"{ }"));
    }
}
