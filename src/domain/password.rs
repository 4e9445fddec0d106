//! Passwords: what is accepted when one is set, and types that never show it.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

/// bcrypt reads no more than this many bytes, so a longer password is refused instead of cut
/// (OWASP Password Storage Cheat Sheet, "Input Limits of bcrypt").
const MAX_BYTES: usize = 72;
const MIN_BYTES: usize = 8;

/// A password as typed; `Debug` hides it and it is wiped when dropped.
#[derive(Debug, Clone)]
pub struct Password(SecretString);

/// A password that keeps the rules and may be stored, hashed.
#[derive(Debug, Clone)]
pub struct NewPassword(Password);

/// A bcrypt hash; `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordHash(String);

/// Why a password can't be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// Not 8 to 72 bytes.
    #[error("password too long/short")]
    Length,
    /// A kind of character is missing.
    #[error("must include uppercase, lowercase, number, and special character")]
    Variety,
    /// A NUL would end the password inside bcrypt.
    #[error("must not contain a NUL character")]
    Nul,
}

impl Password {
    /// Takes the text as it is: no trimming, no normalising.
    pub fn new(text: String) -> Self {
        Self(text.into())
    }

    /// The text, for hashing only.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Whether any account could have this password; bcrypt would take a longer one for its first 72 bytes.
    pub fn could_be_set(&self) -> bool {
        self.expose().len() <= MAX_BYTES && !self.expose().contains('\0')
    }
}

impl NewPassword {
    /// Applies the rules for setting a password.
    pub fn check(password: Password) -> Result<Self, WeakPassword> {
        let text = password.expose();
        if !(MIN_BYTES..=MAX_BYTES).contains(&text.len()) {
            return Err(WeakPassword::Length);
        }
        if text.contains('\0') {
            return Err(WeakPassword::Nul);
        }
        let has = |kind: fn(char) -> bool| text.chars().any(kind);
        let special = |c: char| !c.is_alphanumeric() && !c.is_whitespace();
        if !(has(char::is_uppercase) && has(char::is_lowercase) && has(char::is_numeric) && has(special)) {
            return Err(WeakPassword::Variety);
        }
        Ok(Self(password))
    }

    /// The password inside.
    pub fn into_password(self) -> Password {
        self.0
    }
}

impl PasswordHash {
    /// Wraps what bcrypt returned.
    pub fn new(hash: String) -> Self {
        Self(hash)
    }

    /// The hash, for comparing and storing only.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&PasswordHash> for bson::Bson {
    fn from(hash: &PasswordHash) -> Self {
        hash.0.as_str().into()
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<(), WeakPassword> {
        NewPassword::check(Password::new(text.to_owned())).map(|_| ())
    }

    #[test]
    fn length_is_counted_in_bytes() {
        assert_eq!(check("Aa1!aaa"), Err(WeakPassword::Length));
        assert_eq!(check("Aa1!aaaa"), Ok(()));
        assert_eq!(check(&format!("Aa1!{}", "a".repeat(68))), Ok(()));
        assert_eq!(check(&format!("Aa1!{}", "ä".repeat(35))), Err(WeakPassword::Length));
    }

    #[test]
    fn each_kind_of_character_is_needed() {
        for weak in ["aaaaaa1!", "AAAAAA1!", "Aaaaaaa!", "Aaaaaaa1", "Aaaaaaa 1"] {
            assert_eq!(check(weak), Err(WeakPassword::Variety), "{weak}");
        }
        assert_eq!(check("Aa1!aaa\0"), Err(WeakPassword::Nul));
    }

    #[test]
    fn never_shows_in_debug() {
        let password = Password::new("Str0ng!pass".to_owned());
        let hash = PasswordHash::new("$2b$12$secret".to_owned());
        let shown = format!("{password:?} {hash:?}");
        assert!(!shown.contains("Str0ng") && !shown.contains("secret"), "{shown}");
    }
}
