//! Names and descriptions in the catalogue.

use serde::{Deserialize, Serialize};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use crate::values::{
    text::{is_fully_visible, is_longer_than_names},
    text_value::text_values,
};

/// The name of a brand, model, category or product: 2 to 50 characters in Unicode's normal form NFC.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Name(String);

/// Why a text cannot be a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidName {
    /// It has fewer than 2 or more than 50 characters.
    Length,
    /// It holds a character other than letters with their marks, digits, spaces and `&.,()/'+-`. Characters that draw
    /// nothing, and too many marks on one letter, are refused as well.
    Characters,
}

impl Name {
    /// Checks a trimmed text and normalises it to NFC.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        if is_longer_than_names(text) {
            return Err(InvalidName::Length);
        }
        let name: String = text.nfc().collect();
        if !(2..=50).contains(&name.chars().count()) {
            return Err(InvalidName::Length);
        }
        // Marks are allowed because many scripts write vowels as marks on the letter before them.
        let is_allowed = |c: char| c.is_alphanumeric() || is_combining_mark(c) || " &.,()/'+-".contains(c);
        if !name.chars().all(is_allowed) || !is_fully_visible(&name) {
            return Err(InvalidName::Characters);
        }
        Ok(Self(name))
    }
}

/// The description of a product or of an offer: 1 to 5,000 characters.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Description(String);

text_values!(Name, Description);

impl Description {
    /// Checks a trimmed text; `None` if it is empty or too long.
    pub fn parse(text: &str) -> Option<Self> {
        (1..=5_000).contains(&text.chars().count()).then(|| Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_text_of_2_to_50_characters() {
        for good in ["GM", "Tata Motors", "Brake pad (front) & disc, 4.5/6' +2-1", "मारुति", "ब्रेक पैड"]
        {
            assert!(Name::parse(good).is_ok(), "{good}");
        }
        assert_eq!(Name::parse("Citroe\u{308}n"), Name::parse("Citroën"));
        assert_eq!(Name::parse("A"), Err(InvalidName::Length));
        assert_eq!(Name::parse(&"a".repeat(51)), Err(InvalidName::Length));
        for bad in ["a<b>", "a$b", "a\"b", "a\nb", "a_b", "a*b", "\u{301}ab"] {
            assert_eq!(Name::parse(bad), Err(InvalidName::Characters), "{bad}");
        }
    }

    #[test]
    fn descriptions_are_counted_in_characters() {
        assert!(Description::parse("").is_none());
        assert!(Description::parse(&"é".repeat(5_000)).is_some());
        assert!(Description::parse(&"é".repeat(5_001)).is_none());
    }
}
