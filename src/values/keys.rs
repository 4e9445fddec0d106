//! The keys that seal tokens and cursors, all derived from `JWT_SECRET`.

use std::fmt;

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Bytes of an HMAC-SHA256 tag.
pub const TAG_BYTES: usize = 32;

/// A key for one purpose.
#[derive(Clone)]
pub struct MacKey([u8; 32]);

/// The keys of each purpose: the current one first, then the one of `JWT_SECRET_PREVIOUS`, which is still accepted.
#[derive(Clone, Debug)]
pub struct Keys {
    /// Signs access tokens.
    pub access: Vec<MacKey>,
    /// Seals refresh tokens.
    pub refresh: Vec<MacKey>,
    /// Seals paging cursors.
    pub cursor: Vec<MacKey>,
    /// Hashes codes, links and claims.
    pub otp: Vec<MacKey>,
    /// Hides whom a limit counts.
    pub limits: Vec<MacKey>,
    /// Hides the tokens of links in mails.
    pub links: Vec<MacKey>,
}

impl Keys {
    /// Derives a key a purpose by HKDF-SHA256 (RFC 5869), so that no token passes for one of another kind.
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

    /// The raw key, for the JWT library.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// HMAC-SHA256 over the parts, each preceded by its length.
    pub fn tag(&self, parts: &[&[u8]]) -> [u8; TAG_BYTES] {
        self.mac(parts).finalize().into_bytes().into()
    }

    /// Compares a tag in constant time.
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
