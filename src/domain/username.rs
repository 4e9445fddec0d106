//! Usernames: letters of any script, unique whatever their case or width.

use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use super::text::{folded, shows_whole};

/// A username as its owner spells it (NFC), 4 to 24 characters.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Username(String);

/// The form under which a username is unique: NFKC and lower case.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UsernameKey(String);

/// Why a text is no username.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUsername {
    /// Not 4 to 24 characters.
    #[error("username too long/short")]
    Length,
    /// Something else than letters, digits, single inner spaces and `._-`, or no letter at all.
    #[error("invalid characters")]
    Characters,
}

impl Username {
    /// Checks a trimmed text.
    pub fn parse(text: &str) -> Result<Self, InvalidUsername> {
        let name: String = text.nfc().collect();
        if !(4..=24).contains(&name.chars().count()) {
            return Err(InvalidUsername::Length);
        }
        let allowed = |c: char| c.is_alphabetic() || c.is_ascii_digit() || is_combining_mark(c) || " ._-".contains(c);
        let spaced_well = !name.starts_with(' ') && !name.ends_with(' ') && !name.contains("  ");
        if !name.chars().all(allowed) || !spaced_well || !shows_whole(&name) || !name.contains(char::is_alphabetic) {
            return Err(InvalidUsername::Characters);
        }
        Ok(Self(name))
    }

    /// The key under which this name is unique.
    pub fn key(&self) -> UsernameKey {
        UsernameKey::of(&self.0)
    }
}

impl UsernameKey {
    /// The key of any text, so that a sign-in finds "JOHN Doe" under "john doe".
    pub fn of(text: &str) -> Self {
        Self(folded(text))
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&UsernameKey> for bson::Bson {
    fn from(key: &UsernameKey) -> Self {
        key.0.as_str().into()
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn letters_of_any_script_are_a_name() {
        for good in ["john", "John Doe", "a.b_c-1", "हिन्दी", "Łukasz", "名前です", "abcdefghijklmnopqrstuvwx"]
        {
            assert!(Username::parse(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn says_why_it_refuses() {
        for short in ["", "abc", "abcdefghijklmnopqrstuvwxy"] {
            assert_eq!(Username::parse(short), Err(InvalidUsername::Length), "{short}");
        }
        for bad in [
            "a@bc.de",
            "two  spaces",
            " lead",
            "12345",
            "a/b/c",
            "tab\tname",
            "\u{301}abc",
            "<script>",
            "१२३४",
            "\u{3164}\u{3164}\u{3164}\u{3164}",
            "a\u{1160}bcd",
        ] {
            assert_eq!(Username::parse(bad), Err(InvalidUsername::Characters), "{bad}");
        }
    }

    #[test]
    fn case_and_width_make_no_second_name() {
        let key = UsernameKey::of("john doe");
        for same in ["John Doe", "JOHN DOE", "Ｊｏｈｎ Ｄｏｅ"] {
            assert_eq!(UsernameKey::of(same), key, "{same}");
        }
        assert_eq!(UsernameKey::of("Straße"), UsernameKey::of("STRASSE"));
        assert_eq!(UsernameKey::of("ΣΑΣ one"), UsernameKey::of("σας one"));
    }

    proptest! {
        #[test]
        fn the_key_of_a_key_is_itself(text in "\\PC{0,30}") {
            let key = UsernameKey::of(&text);
            prop_assert_eq!(UsernameKey::of(&key.0), key);
        }
    }
}
