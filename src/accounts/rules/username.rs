//! Usernames: letters of any script. Names that differ only in case or width count as the same.

use serde::{Deserialize, Serialize};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use unicode_script::{Script, UnicodeScript};
use unicode_security::mixed_script::AugmentedScriptSet;

use crate::values::{
    text::{folded, is_fully_visible, is_longer_than_names},
    text_value::text_values,
};

/// A username as its owner spells it, in the Unicode form NFC, 4 to 24 characters.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Username(String);

/// The form in which a username is unique: NFKC and lower case.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UsernameKey(String);

text_values!(Username, UsernameKey);

/// The reason why a text is not a username.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUsername {
    /// It has fewer than 4 or more than 24 characters.
    #[error("username too long/short")]
    Length,
    /// It holds other characters than letters, ASCII digits, single inner spaces and `._-`; or it has no letter; or it
    /// mixes letters of scripts that no language writes together.
    #[error("invalid characters")]
    Characters,
}

impl Username {
    /// Reads a trimmed text as a username.
    pub fn parse(text: &str) -> Result<Self, InvalidUsername> {
        if is_longer_than_names(text) {
            return Err(InvalidUsername::Length);
        }
        let name: String = text.nfc().collect();
        if !(4..=24).contains(&name.chars().count()) {
            return Err(InvalidUsername::Length);
        }
        let is_allowed =
            |c: char| c.is_alphabetic() || c.is_ascii_digit() || is_combining_mark(c) || " ._-".contains(c);
        let is_spaced_well = !name.starts_with(' ') && !name.ends_with(' ') && !name.contains("  ");
        let is_plain = name.chars().all(is_allowed) && is_spaced_well && name.contains(char::is_alphabetic);
        if !is_plain || !is_fully_visible(&name) || !is_of_one_language(&name) {
            return Err(InvalidUsername::Characters);
        }
        Ok(Self(name))
    }

    /// Returns the form in which this name is unique.
    pub fn key(&self) -> UsernameKey {
        UsernameKey(folded(&self.0))
    }
}

/// Returns whether one language could write the name. Its letters must all be of one script, or of the scripts that
/// Japanese, Korean or Chinese mix, and then Latin letters are allowed too (UTS #39, section 5.2, "Highly
/// Restrictive"). Other mixtures are refused, because a name of Latin and Cyrillic letters can look like a name of
/// Latin ones.
fn is_of_one_language(name: &str) -> bool {
    if !AugmentedScriptSet::for_str(name).is_empty() {
        return true;
    }
    let without_latin: String = name.chars().filter(|c| c.script() != Script::Latin).collect();
    let scripts = AugmentedScriptSet::for_str(&without_latin);
    scripts.jpan || scripts.kore || scripts.hanb
}

impl UsernameKey {
    /// Returns the key of a text that somebody typed, so that a sign-in as "JOHN Doe" finds the account "john doe".
    /// Returns `None` for a text that is longer than any name.
    pub fn of(text: &str) -> Option<Self> {
        (!is_longer_than_names(text)).then(|| Self(folded(text)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn letters_of_any_script_are_a_name() {
        for good in [
            "john",
            "John Doe",
            "a.b_c-1",
            "हिन्दी 2",
            "Łukasz",
            "名前です",
            "abcdefghijklmnopqrstuvwx",
            "Honda ホンダ",
            "현대 Parts",
            "Иван",
            "Γιώργος",
            "Nguyễn Ánh",
        ] {
            assert_eq!(Username::parse(good).map(|_| ()), Ok(()), "{good}");
        }
    }

    #[test]
    fn scripts_that_no_language_mixes_are_refused() {
        for mixed in ["p\u{430}ypal", "Αdmin", "Asha आशा", "ivan Иван", "ホンダ हिन्दी", "аdmin"]
        {
            assert_eq!(Username::parse(mixed), Err(InvalidUsername::Characters), "{mixed}");
        }
    }

    #[test]
    fn says_why_it_refuses() {
        let huge = "\u{fdfa}".repeat(300);
        for short in ["", "abc", "abcdefghijklmnopqrstuvwxy", huge.as_str()] {
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
            "jo\u{fe0f}hn",
            "jo\u{34f}hn",
            "jo\u{180b}hn",
            "jo\u{17b4}hn",
            "joq\u{301}\u{302}\u{303}hn",
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
        assert_eq!(UsernameKey::of(&"a".repeat(255)), None);
        assert_eq!(UsernameKey::of("Straße"), UsernameKey::of("STRASSE"));
        assert_eq!(UsernameKey::of("ΣΑΣ one"), UsernameKey::of("σας one"));
    }

    proptest! {
        #[test]
        fn the_key_of_a_key_is_itself(text in "\\PC{0,30}") {
            let key = UsernameKey::of(&text).expect("a short text");
            prop_assert_eq!(UsernameKey(folded(&key.0)), key);
        }
    }
}
