//! Refresh tokens: user, session and counter, sealed; the server stores nothing of them but the counter.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::values::{
    ids::SessionRef,
    keys::{MacKey, TAG_BYTES},
};

/// User id, session id, counter: 12 + 12 + 4 bytes, with the tag 60, which is 80 characters.
const PAYLOAD_BYTES: usize = 28;

/// The counter of a session that does not rotate. No rotating session gets that far.
pub const STATIC_COUNTER: u32 = u32::MAX;

/// What a genuine token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefreshClaim {
    /// The account and its session.
    pub session: SessionRef,
    /// How often the session had been rotated when the token was given out, or [`STATIC_COUNTER`].
    pub counter: u32,
}

impl RefreshClaim {
    /// Returns whether the token belongs to a session that does not rotate.
    pub fn is_static(self) -> bool {
        self.counter == STATIC_COUNTER
    }
}

/// A sealed refresh token; `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken(String);

impl RefreshToken {
    /// The token that stands for `claim`: always the same one for the same claim and key.
    pub fn seal(key: &MacKey, claim: RefreshClaim) -> Self {
        let payload = payload(claim);
        let mut bytes = payload.to_vec();
        bytes.extend_from_slice(&key.tag(&[&payload]));
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// What a text says if one of our keys sealed it; `None` for anything else.
    pub fn open(keys: &[MacKey], text: &str) -> Option<RefreshClaim> {
        if text.len() > 128 {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (payload, tag) = bytes.split_first_chunk::<PAYLOAD_BYTES>()?;
        let genuine = tag.len() == TAG_BYTES && keys.iter().any(|key| key.verifies(&[payload], tag));
        genuine.then(|| claim(*payload)).flatten()
    }

    /// The token, for the cookie (or the body, where that is switched on) only.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

fn payload(claim: RefreshClaim) -> [u8; PAYLOAD_BYTES] {
    let mut payload = [0; PAYLOAD_BYTES];
    payload[..12].copy_from_slice(&claim.session.user.bytes());
    payload[12..24].copy_from_slice(&claim.session.session.bytes());
    payload[24..].copy_from_slice(&claim.counter.to_be_bytes());
    payload
}

fn claim(payload: [u8; PAYLOAD_BYTES]) -> Option<RefreshClaim> {
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
