//! Refresh tokens. A token holds the ids of user and session and a counter, and a keyed hash that shows that it is
//! genuine. Of all this the server stores only the counter, in the session.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::values::{
    ids::SessionRef,
    keys::{MacKey, TAG_BYTES},
};

/// The number of bytes for user id (12), session id (12) and counter (4). With the keyed hash a token has 60 bytes,
/// which are 80 characters.
const PAYLOAD_BYTES: usize = 28;

/// The maximum length of a text that is decoded, in characters.
const MAX_TEXT: usize = 128;

/// The counter of sessions that do not rotate. The counter of a rotating session never gets so high.
pub const STATIC_COUNTER: u32 = u32::MAX;

/// The contents of a genuine token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefreshClaim {
    /// The account and its session.
    pub session: SessionRef,
    /// How often the session had been rotated when the token was made, or [`STATIC_COUNTER`].
    pub counter: u32,
}

impl RefreshClaim {
    /// Returns whether the token belongs to a session that does not rotate.
    pub fn is_static(self) -> bool {
        self.counter == STATIC_COUNTER
    }
}

/// A refresh token with its keyed hash. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken(String);

impl RefreshToken {
    /// Makes the token for `claim`. The same claim and key always give the same token.
    pub fn seal(key: &MacKey, claim: RefreshClaim) -> Self {
        let payload = encode_claim(claim);
        let mut bytes = payload.to_vec();
        bytes.extend_from_slice(&key.tag(&[&payload]));
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Returns the contents of a token that was made with one of the keys; `None` for any other text.
    pub fn open(keys: &[MacKey], text: &str) -> Option<RefreshClaim> {
        if text.len() > MAX_TEXT {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (payload, tag) = bytes.split_first_chunk::<PAYLOAD_BYTES>()?;
        let is_genuine = tag.len() == TAG_BYTES && keys.iter().any(|key| key.verifies(&[payload], tag));
        if is_genuine { decode_claim(*payload) } else { None }
    }

    /// Returns the token. Use it only in the cookie or, if `BODY_REFRESH` allows it, in the body of the answer.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

fn encode_claim(claim: RefreshClaim) -> [u8; PAYLOAD_BYTES] {
    let mut payload = [0; PAYLOAD_BYTES];
    payload[..12].copy_from_slice(&claim.session.user.bytes());
    payload[12..24].copy_from_slice(&claim.session.session.bytes());
    payload[24..].copy_from_slice(&claim.counter.to_be_bytes());
    payload
}

fn decode_claim(payload: [u8; PAYLOAD_BYTES]) -> Option<RefreshClaim> {
    let (user, rest) = payload.split_first_chunk::<12>()?;
    let (session, counter) = rest.split_first_chunk::<12>()?;
    let session = SessionRef { user: (*user).into(), session: (*session).into() };
    Some(RefreshClaim { session, counter: u32::from_be_bytes(counter.try_into().ok()?) })
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken(…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::values::keys::Keys;

    fn keys() -> Vec<MacKey> {
        Keys::derive(b"0123456789abcdef0123456789abcdef", None).refresh
    }

    proptest! {
        #[test]
        fn opens_to_what_was_sealed(user: [u8; 12], session: [u8; 12], counter: u32) {
            let claim = RefreshClaim { session: SessionRef { user: user.into(), session: session.into() }, counter };
            let token = RefreshToken::seal(&keys()[0], claim);
            prop_assert_eq!(token.expose().len(), 80);
            prop_assert_eq!(RefreshToken::open(&keys(), token.expose()), Some(claim));
        }

        #[test]
        fn any_changed_character_is_refused(at in 0_usize..80, to in "[A-Za-z0-9_-]") {
            let session = SessionRef { user: [1; 12].into(), session: [2; 12].into() };
            let token = RefreshToken::seal(&keys()[0], RefreshClaim { session, counter: 3 });
            let mut changed = token.expose().to_owned();
            changed.replace_range(at..=at, &to);
            prop_assume!(changed != token.expose());
            prop_assert_eq!(RefreshToken::open(&keys(), &changed), None);
        }

        #[test]
        fn junk_is_refused(text in "\\PC{0,200}") {
            prop_assert_eq!(RefreshToken::open(&keys(), &text), None);
        }
    }
}
