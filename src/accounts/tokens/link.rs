//! The tokens of links in mails. The plain token is only in the mail, and only its hash is stored.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::values::{ids::UserId, keys::MacKey};

const BYTES: usize = 32;
/// The maximum length of a text that is decoded, in characters. Both parts of a link are shorter.
const MAX_TEXT: usize = 64;

/// The plain token of a link. `Debug` hides it, and it can't be stored.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkToken([u8; BYTES]);

/// The keyed hash of a token, which is stored. Nobody can make a working link from a copy of the database.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LinkHash(String);

/// The contents of a link: its account and its token.
#[derive(Debug, Clone)]
pub struct LinkRef {
    /// The account.
    pub user: UserId,
    /// The token.
    pub token: LinkToken,
}

impl LinkToken {
    /// Makes a token from 32 random bytes of the system. Panics if the system has none.
    pub fn new() -> Self {
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes).expect("the system has randomness");
        Self(bytes)
    }

    /// Returns the hash of the token for an account under `key`.
    pub fn hash(&self, key: &MacKey, user: UserId) -> LinkHash {
        LinkHash(URL_SAFE_NO_PAD.encode(key.tag(&[&user.bytes(), &self.0])))
    }
}

impl LinkRef {
    /// Reads the two parts of the path of a link. Returns `None` if they can't come from a link of this shop.
    pub fn parse(uid: &str, token: &str) -> Option<Self> {
        let user_id = String::from_utf8(decode(uid)?).ok()?;
        let token_bytes = decode(token)?.try_into().ok()?;
        Some(Self { user: user_id.parse().ok()?, token: LinkToken(token_bytes) })
    }

    /// Returns the end of the URL, `{uid}/{token}`. Use it only in the mail.
    pub fn expose(&self) -> String {
        format!("{}/{}", URL_SAFE_NO_PAD.encode(self.user.to_string()), URL_SAFE_NO_PAD.encode(self.token.0))
    }
}

fn decode(text: &str) -> Option<Vec<u8>> {
    if text.len() > MAX_TEXT {
        return None;
    }
    URL_SAFE_NO_PAD.decode(text).ok()
}

impl From<LinkHash> for bson::Bson {
    fn from(hash: LinkHash) -> Self {
        hash.0.into()
    }
}

impl fmt::Debug for LinkToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkToken(…)")
    }
}

impl fmt::Debug for LinkHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_reads_back_as_itself_and_nothing_else_does() {
        let link = LinkRef { user: UserId::new(), token: LinkToken::new() };
        let text = link.expose();
        let (uid, token) = text.split_once('/').expect("two parts");
        assert_eq!((uid.len(), token.len()), (32, 43));
        let read = LinkRef::parse(uid, token).expect("a link");
        assert_eq!((read.user, read.token), (link.user, link.token));
        for (uid, token) in [("", token), (uid, ""), ("junk", token), (uid, &token[1..]), (token, uid)] {
            assert!(LinkRef::parse(uid, token).is_none(), "{uid} {token}");
        }
    }
}
