//! Passwords: the rules for new ones, and types whose `Debug` output never shows them.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::username::Username;
use crate::values::{email::Email, invalid::InvalidField, phone::E164};

/// The maximum length of a password, in bytes. bcrypt ignores all further bytes, so a longer password is refused (OWASP
/// Password Storage Cheat Sheet, "Input Limits of bcrypt").
const MAX_BYTES: usize = 72;
const MIN_BYTES: usize = 8;
/// The number of characters from the start of a password whose strength is judged. If they are strong, the whole
/// password is. The time for judging grows at least with the square of their number.
const JUDGED_CHARS: usize = 40;
/// The maximum length of a text that is normalised, in bytes. A longer text can't have a normal form of 72 bytes or
/// less.
const MAX_TYPED_BYTES: usize = 4 * MAX_BYTES;

/// A password as it was typed. `Debug` hides it, and its memory is overwritten when it is dropped.
#[derive(Debug, Clone)]
pub struct Password(SecretString);

/// A new password that keeps the rules for length and characters. It is in the Unicode form NFC, so that it is the same
/// from every keyboard. Whether it is easy to guess is not checked yet: see [`NewPassword::refuse_guessable`].
#[derive(Debug, Clone)]
pub struct NewPassword {
    field: &'static str,
    password: Password,
}

/// The words that somebody who knows the owner of a password would try first: parts of the name, number and address.
/// `Debug` hides them.
#[derive(Clone, Default)]
pub struct OwnerDetails(Vec<String>);

/// A bcrypt hash. `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordHash(String);

/// The reason why a password can't be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum WeakPassword {
    /// It has fewer than 8 or more than 72 bytes.
    #[error("password too long/short")]
    Length,
    /// A kind of character is missing: an upper-case letter, a lower-case letter, a number, or a special character.
    #[error("must include uppercase, lowercase, number, and special character")]
    Variety,
    /// It contains a NUL, at which bcrypt would stop reading.
    #[error("must not contain a NUL character")]
    Nul,
    /// It is easy to guess.
    #[error("too easy to guess")]
    Guessable,
}

impl Password {
    /// Wraps a text as it is. It is neither trimmed nor normalised.
    pub fn new(text: String) -> Self {
        Self(text.into())
    }

    /// Returns the text. Use it only for hashing.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Returns whether an account could have this password: at most 72 bytes, and no NUL. bcrypt would accept a longer
    /// one if only its first 72 bytes are right.
    pub fn could_be_set(&self) -> bool {
        self.expose().len() <= MAX_BYTES && !self.expose().contains('\0')
    }

    /// Returns the password in the Unicode form NFC. A text that is too long for any account is returned unchanged.
    pub fn normalised(&self) -> Self {
        if self.is_normal() { self.clone() } else { Self::new(self.expose().nfc().collect()) }
    }

    /// Returns whether [`Password::normalised`] would return the same text, as it does for nearly all passwords.
    pub fn is_normal(&self) -> bool {
        self.expose().len() > MAX_TYPED_BYTES || is_nfc(self.expose())
    }
}

impl NewPassword {
    /// Normalises a new password and checks its length and its characters. `field` is the name of the request field,
    /// for the error.
    pub fn check(field: &'static str, password: &Password) -> Result<Self, InvalidField> {
        let normal = password.normalised();
        match weakness(normal.expose()) {
            Some(why) => Err(invalid_password(field, why)),
            None => Ok(Self { field, password: normal }),
        }
    }

    /// Fails if somebody who knows the owner could guess the password soon. This takes some milliseconds, so take slots
    /// of the limits first.
    pub fn refuse_guessable(&self, owner: &OwnerDetails) -> Result<(), InvalidField> {
        let owner_words: Vec<&str> = owner.0.iter().map(String::as_str).collect();
        let judged: String = self.password.expose().chars().take(JUDGED_CHARS).collect();
        let score = zxcvbn::zxcvbn(&judged, &owner_words).score();
        if score < zxcvbn::Score::Three { Err(invalid_password(self.field, WeakPassword::Guessable)) } else { Ok(()) }
    }

    /// Returns the text. Use it only for hashing.
    pub fn expose(&self) -> &str {
        self.password.expose()
    }

    /// Returns the normalised password.
    pub fn into_password(self) -> Password {
        self.password
    }
}

fn weakness(text: &str) -> Option<WeakPassword> {
    if !(MIN_BYTES..=MAX_BYTES).contains(&text.len()) {
        return Some(WeakPassword::Length);
    }
    if text.contains('\0') {
        return Some(WeakPassword::Nul);
    }
    let has = |kind: fn(char) -> bool| text.chars().any(kind);
    let is_special = |c: char| !c.is_alphanumeric() && !c.is_whitespace();
    let is_varied = has(char::is_uppercase) && has(char::is_lowercase) && has(char::is_numeric) && has(is_special);
    (!is_varied).then_some(WeakPassword::Variety)
}

fn invalid_password(field: &'static str, why: WeakPassword) -> InvalidField {
    InvalidField::because(field, "password", why)
}

impl OwnerDetails {
    /// Collects the name, number and address of an owner, and the words in them.
    pub fn new(username: &Username, number: Option<&E164>, email: Option<&Email>) -> Self {
        let mut details = Vec::new();
        for text in [Some(username.to_string()), email.map(ToString::to_string)].into_iter().flatten() {
            let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().count() > 2);
            details.extend(words.map(str::to_lowercase));
            details.push(text.to_lowercase());
        }
        if let Some(number) = number {
            let digits = &number.as_str()[1..];
            // The number with its country code, and without it. A country code has 1 to 3 digits.
            details.extend((0..=3).map(|code_length| digits[code_length..].to_owned()));
        }
        Self(details)
    }
}

impl PasswordHash {
    /// Wraps the text that bcrypt returned.
    pub fn new(hash: String) -> Self {
        Self(hash)
    }

    /// Returns the hash. Use it only to compare and to store it.
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

impl fmt::Debug for OwnerDetails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnerDetails(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<(), String> {
        let password = Password::new(text.to_owned());
        NewPassword::check("password", &password).map(|_| ()).map_err(|refused| refused.text)
    }

    fn refused(why: WeakPassword) -> Result<(), String> {
        Err(format!("invalid password: {why}"))
    }

    #[test]
    fn length_is_counted_in_bytes() {
        assert_eq!(check("Aa1!aaa"), refused(WeakPassword::Length));
        assert_eq!(check("Aa1!aaaa"), Ok(()));
        assert_eq!(check(&format!("Aa1!{}", "a".repeat(68))), Ok(()));
        assert_eq!(check(&format!("Aa1!{}", "ä".repeat(35))), refused(WeakPassword::Length));
    }

    #[test]
    fn each_kind_of_character_is_needed() {
        for weak in ["aaaaaa1!", "AAAAAA1!", "Aaaaaaa!", "Aaaaaaa1", "Aaaaaaa 1"] {
            assert_eq!(check(weak), refused(WeakPassword::Variety), "{weak}");
        }
        assert_eq!(check("Aa1!aaa\0"), refused(WeakPassword::Nul));
    }

    #[test]
    fn every_keyboard_writes_the_same_password() {
        let typed = |text: &str| Password::new(text.to_owned());
        let (composed, decomposed) = (typed("Gr\u{fc}n-kr4ut!"), typed("Gru\u{308}n-kr4ut!"));
        assert_eq!(decomposed.normalised().expose(), composed.expose());
        assert_eq!((composed.is_normal(), decomposed.is_normal()), (true, false));
        let marks = format!("Aa1!{}", "u\u{308}".repeat(34));
        assert_eq!(check(&marks), Ok(()), "72 bytes once it is normalised");
        let endless = typed(&"\u{fdfa}".repeat(1_000));
        assert_eq!(endless.normalised().expose().len(), endless.expose().len());
    }

    #[test]
    fn what_is_tried_first_is_refused() {
        let name = Username::parse("Asha Rao").expect("a name");
        let number = E164::parse("9876543210", "IN".parse().expect("region")).expect("a number");
        let email = Email::parse("asha.brakes@example.com").expect("an address");
        let owner = OwnerDetails::new(&name, Some(&number), Some(&email));
        let judge = |text: &str| {
            let new = NewPassword::check("password", &Password::new(text.to_owned())).expect("the rules");
            new.refuse_guessable(&owner).map_err(|refused| refused.text)
        };
        for weak in ["Password1!", "Admin@123", "Asha@1990", "Asha Rao1!", "Brakes@2024", "Qwerty@123", "9876543210Aa!"]
        {
            assert_eq!(judge(weak), refused(WeakPassword::Guessable), "{weak}");
        }
        for strong in ["Br4ke-pads!", "Correct horse battery 5taple!", "xK9#mQ2$vL"] {
            assert_eq!(judge(strong), Ok(()), "{strong}");
        }
    }

    #[test]
    fn never_shows_in_debug() {
        let password = Password::new("Str0ng!pass".to_owned());
        let hash = PasswordHash::new("$2b$12$secret".to_owned());
        let shown = format!("{password:?} {hash:?}");
        assert!(!shown.contains("Str0ng") && !shown.contains("secret"), "{shown}");
    }
}
