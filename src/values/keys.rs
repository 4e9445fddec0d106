//! The keys that sign, seal and hash tokens, codes and cursors. All of them are derived from `JWT_SECRET`.

use std::fmt;

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Length of an HMAC-SHA256 tag in bytes.
pub const TAG_BYTES: usize = 32;

/// A key of 32 bytes for one purpose.
#[derive(Clone)]
pub struct MacKey([u8; 32]);

/// The keys for each purpose. Each list begins with the current key, which makes new tags. If `JWT_SECRET_PREVIOUS` is
/// set, its key follows; tags made with it are still accepted.
#[derive(Clone, Debug)]
pub struct Keys {
    /// Keys that sign access tokens.
    pub access: Vec<MacKey>,
    /// Keys that seal refresh tokens.
    pub refresh: Vec<MacKey>,
    /// Keys that seal paging cursors.
    pub cursor: Vec<MacKey>,
    /// Keys that hash one-time codes, the claims of sign-ups and the tokens for a reset by code, and that seal the
    /// cookies of challenges and known browsers.
    pub otp: Vec<MacKey>,
    /// Keys that hash the subjects of limits, so that the database doesn't show whom a limit counts.
    pub limits: Vec<MacKey>,
    /// Keys that hash the tokens of links in mails, so that the database contains no usable link.
    pub links: Vec<MacKey>,
    /// Keys that make fingerprints of requests with an `Idempotency-Key`, so that the database doesn't show what was
    /// sent.
    pub idempotency: Vec<MacKey>,
}

impl Keys {
    /// Derives a key for each purpose by HKDF-SHA256 (RFC 5869). Purposes have different keys, so that a token of one
    /// kind is never accepted as one of another kind.
    pub fn derive(secret: &[u8], previous: Option<&[u8]>) -> Self {
        let both = |purpose: &str| {
            [Some(secret), previous].into_iter().flatten().map(|s| MacKey::derive(s, purpose)).collect()
        };
        Self {
            access: both("myspares access v1"),
            refresh: both("myspares refresh v1"),
            cursor: both("myspares cursor v1"),
            otp: both("myspares otp v1"),
            limits: both("myspares limits v1"),
            links: both("myspares links v1"),
            idempotency: both("myspares idempotency v1"),
        }
    }
}

impl MacKey {
    fn derive(secret: &[u8], purpose: &str) -> Self {
        let mut key = [0; 32];
        Hkdf::<Sha256>::new(None, secret)
            .expand(purpose.as_bytes(), &mut key)
            .expect("32 bytes are within HKDF's limit of 8,160");
        Self(key)
    }

    /// Returns the raw key, for the JWT library.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Computes the HMAC-SHA256 of the parts. The length of each part goes before it, so that `["ab", "c"]` and
    /// `["a", "bc"]` have different tags.
    pub fn tag(&self, parts: &[&[u8]]) -> [u8; TAG_BYTES] {
        self.mac(parts).finalize().into_bytes().into()
    }

    /// Returns whether `tag` is the tag of the parts. Compares in constant time.
    pub fn verifies(&self, parts: &[&[u8]], tag: &[u8]) -> bool {
        self.mac(parts).verify_slice(tag).is_ok()
    }

    fn mac(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MacKey(…)")
    }
}
