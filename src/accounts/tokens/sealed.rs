//! Ids in cookies with a keyed hash that shows that they are genuine, and random tokens that allow a reset.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::values::{
    ids::{ChallengeId, UserId},
    keys::{MacKey, TAG_BYTES},
};

/// The maximum length of a text that is decoded, in characters. All texts that this shop makes are shorter.
const MAX_TEXT: usize = 128;
/// The words that tell the two kinds of sealed ids apart.
const CHALLENGE: &[u8] = b"challenge";
const KNOWN_BROWSER: &[u8] = b"known browser";

/// Makes the text of the cookie for a challenge.
pub fn seal_challenge(key: &MacKey, challenge: ChallengeId) -> String {
    seal(key, CHALLENGE, challenge.bytes())
}

/// Returns the challenge of a cookie that this shop has set; `None` for any other text.
pub fn open_challenge(keys: &[MacKey], text: &str) -> Option<ChallengeId> {
    open(keys, CHALLENGE, text).map(ChallengeId::from)
}

/// Makes the text of the cookie by which a browser shows later that it was once signed in to an account.
pub fn seal_known_browser(key: &MacKey, user: UserId) -> String {
    seal(key, KNOWN_BROWSER, user.bytes())
}

/// Returns the account of a cookie that [`seal_known_browser`] made; `None` for any other text.
pub fn open_known_browser(keys: &[MacKey], text: &str) -> Option<UserId> {
    open(keys, KNOWN_BROWSER, text).map(UserId::from)
}

/// Makes a text of an id and a keyed hash of its kind and the id.
fn seal(key: &MacKey, kind: &[u8], id: [u8; 12]) -> String {
    URL_SAFE_NO_PAD.encode([&id[..], &key.tag(&[kind, &id])].concat())
}

/// Returns the id of a text that [`seal`] made with one of the keys for the same kind; `None` for any other text.
fn open(keys: &[MacKey], kind: &[u8], text: &str) -> Option<[u8; 12]> {
    let bytes = decode(text)?;
    let (id, tag) = bytes.split_first_chunk::<12>()?;
    let is_genuine = tag.len() == TAG_BYTES && keys.iter().any(|key| key.verifies(&[kind, id], tag));
    is_genuine.then_some(*id)
}

fn decode(text: &str) -> Option<Vec<u8>> {
    if text.len() > MAX_TEXT {
        return None;
    }
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// A token that allows one new password for one account. It contains the id of the account, by which the stored hash is
/// found.
#[derive(Clone)]
pub struct ResetToken {
    user: UserId,
    secret: [u8; 32],
}

impl ResetToken {
    /// Makes a token for an account from 32 random bytes of the system.
    pub fn random(user: UserId) -> Result<Self, getrandom::Error> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret)?;
        Ok(Self { user, secret })
    }

    /// Reads a token. Returns `None` for a text that can't be one. Whether the token is valid is not checked.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = decode(text)?;
        let (user, secret) = bytes.split_first_chunk::<12>()?;
        Some(Self { user: (*user).into(), secret: secret.try_into().ok()? })
    }

    /// Returns the account for which the token allows a new password.
    pub fn user(&self) -> UserId {
        self.user
    }

    /// Returns the hash of the token, which is all that is stored of it.
    pub fn hash(&self, key: &MacKey) -> HashedToken {
        HashedToken(URL_SAFE_NO_PAD.encode(key.tag(&[b"reset", &self.user.bytes(), &self.secret])))
    }

    /// Returns the token. Use it only in the answer to the person who has proven the number.
    pub fn expose(&self) -> String {
        URL_SAFE_NO_PAD.encode([&self.user.bytes()[..], &self.secret].concat())
    }
}

/// The keyed hash of a token or code. Only this is stored.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct HashedToken(String);

impl HashedToken {
    /// Returns the hash of a code that was sent for a challenge.
    pub fn of_code(key: &MacKey, challenge: ChallengeId, code: &str) -> Self {
        Self(URL_SAFE_NO_PAD.encode(key.tag(&[b"code", &challenge.bytes(), code.as_bytes()])))
    }

    /// Returns the hash of two texts, such as the name and password of a sign-up, or a number and a code. It shows
    /// whether two pairs are equal without storing them.
    pub fn of_claim(key: &MacKey, parts: [&str; 2]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(key.tag(&[b"claim", parts[0].as_bytes(), parts[1].as_bytes()])))
    }
}

impl From<&HashedToken> for bson::Bson {
    fn from(hash: &HashedToken) -> Self {
        hash.0.as_str().into()
    }
}

impl fmt::Debug for ResetToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResetToken(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::keys::Keys;

    #[test]
    fn a_challenge_opens_only_untouched() {
        let keys = Keys::derive(b"0123456789abcdef0123456789abcdef", None).otp;
        let challenge = ChallengeId::new();
        let text = seal_challenge(&keys[0], challenge);
        assert_eq!(open_challenge(&keys, &text), Some(challenge));
        for junk in ["", "AAAA", &text[1..], &"A".repeat(59)] {
            assert_eq!(open_challenge(&keys, junk), None, "{junk}");
        }
    }

    #[test]
    fn a_known_browser_is_no_challenge_and_the_other_way_round() {
        let keys = Keys::derive(b"0123456789abcdef0123456789abcdef", None).otp;
        let user = UserId::new();
        let text = seal_known_browser(&keys[0], user);
        assert_eq!((open_known_browser(&keys, &text), open_challenge(&keys, &text)), (Some(user), None));
        assert_eq!(open_known_browser(&keys, &seal_challenge(&keys[0], ChallengeId::new())), None);
    }

    #[test]
    fn a_reset_token_is_read_back_and_only_its_hash_tells_nothing() {
        let key = &Keys::derive(b"0123456789abcdef0123456789abcdef", None).otp[0];
        let token = ResetToken::random(UserId::new()).expect("randomness");
        let text = token.expose();
        let read = ResetToken::parse(&text).expect("a token");
        assert_eq!((read.user(), read.hash(key)), (token.user(), token.hash(key)));
        let altered = with_other_last_char(&text);
        assert!(ResetToken::parse(&altered).is_none_or(|changed| changed.hash(key) != token.hash(key)));
        assert!(!format!("{token:?}{:?}", token.hash(key)).contains(&text));
    }

    /// Returns the text with its last character changed.
    fn with_other_last_char(text: &str) -> String {
        format!("{}{}", &text[..text.len() - 1], if text.ends_with('A') { 'B' } else { 'A' })
    }
}
