//! Names and descriptions in the catalogue.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use crate::values::{
    text::{is_fully_visible, is_printable, without_indic_joiners},
    text_value::text_values,
};

/// A typed name with more characters than this is refused before it is normalised. It leaves room for 120 letters with
/// their marks apart, and for spaces that are joined.
const LONGEST_TYPED: usize = 1_000;
/// How many characters a name has.
const LENGTH: RangeInclusive<usize> = 2..=120;

/// The name of a brand, model, category or product: 2 to 120 characters in Unicode's normal form NFC.
///
/// Between its words is one ordinary space. Names that were stored by older versions may have several.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Name(String);

/// Why a text cannot be a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidName {
    /// It has fewer than 2 or more than 120 characters.
    Length,
    /// It holds `<` or `>`, a character that can't be printed or draws nothing, or too many marks on one letter.
    Characters,
}

impl Name {
    /// Checks a text, normalises it to NFC and makes one ordinary space of each run of spaces of any kind.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        printable_line(text, LENGTH).map(Self)
    }

    /// Returns whether two names differ in nothing but the number of spaces between words.
    pub fn has_words_of(&self, other: &Self) -> bool {
        self.0.split_whitespace().eq(other.0.split_whitespace())
    }
}

/// Checks a text of so many characters, normalises it to NFC and makes one ordinary space of each run of spaces.
fn printable_line(text: &str, length: RangeInclusive<usize>) -> Result<String, InvalidName> {
    if text.chars().nth(LONGEST_TYPED).is_some() {
        return Err(InvalidName::Length);
    }
    let line = with_single_spaces(&text.nfc().collect::<String>());
    if !length.contains(&line.chars().count()) {
        return Err(InvalidName::Length);
    }
    let is_allowed = |c: char| is_printable(c) && !"<>".contains(c);
    match without_indic_joiners(&line) {
        Some(drawn) if drawn.chars().all(is_allowed) && is_fully_visible(&drawn) => Ok(line),
        _ => Err(InvalidName::Characters),
    }
}

/// The words that stand for a picture where it can't be seen: 1 to 200 characters of those that names may have.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AltText(String);

impl AltText {
    /// Checks and normalises a text as names are; `None` if it is empty.
    pub fn parse(text: &str) -> Result<Option<Self>, InvalidName> {
        if text.trim().is_empty() { Ok(None) } else { printable_line(text, 1..=200).map(|line| Some(Self(line))) }
    }
}

/// Removes spaces at the ends, and makes one ordinary space of each other run of spaces. The blank of Braille, which
/// Unicode counts as a symbol, is a space as well.
fn with_single_spaces(text: &str) -> String {
    let is_space = |c: char| c.is_whitespace() || c == '\u{2800}';
    text.split(is_space).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The description of a product or of an offer: 1 to 5,000 characters.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Description(String);

text_values!(Name, AltText, Description);

impl Description {
    /// Checks a trimmed text; `None` if it is empty or too long.
    pub fn parse(text: &str) -> Option<Self> {
        (1..=5_000).contains(&text.chars().count()).then(|| Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_what_shops_print() {
        for good in [
            "GM",
            "Tata Motors",
            "Brake pad (front) & disc, 4.5/6' +2-1",
            "मारुति",
            "ब्रेक पैड",
            "Wheel Rim 18\"",
            "Oil Filter #5",
            "Temp Sensor 85°C",
            "Bolt M8×25",
            "Brake Pad – Front",
            "Bosch® Pad",
            "Fuse 10A @ 12V; 50% [new]",
            "Ø 12 mm ±0,1",
            "Kit €5 = 2 × ½",
            "ブレーキ・パッド",
            "刹车片【前】",
            "A_b*c?d!e~f^g`h|i\\j{k}",
            "Seal №3 ™",
            "د١ قطعة",
        ] {
            assert_eq!(Name::parse(good).map(|name| name.to_string()).as_deref(), Ok(good), "{good}");
        }
        assert_eq!(Name::parse("Citroe\u{308}n"), Name::parse("Citroën"));
        for bad in [
            "a<b",
            "a>b",
            "a\nb\0",
            "\u{301}ab",
            "a\u{200b}b",
            "a\u{202e}b",
            "a\u{200e}b",
            "a\u{ad}b",
            "a\u{feff}b",
            "a\u{e000}b",
            "a\u{ffff}b",
            "a\u{378}b",
            "a\u{fff9}b",
            "a\u{fffc}b",
            "a\u{2066}b",
        ] {
            assert_eq!(Name::parse(bad), Err(InvalidName::Characters), "{bad:?}");
        }
    }

    #[test]
    fn a_name_has_2_to_120_characters() {
        for good in ["é1", &"a".repeat(120), &"ệ".repeat(120), &"e\u{323}\u{302}".repeat(120)] {
            assert!(Name::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "A", " \u{2800}A\u{a0}", &"a".repeat(121), &"<".repeat(121), &"a ".repeat(600)] {
            assert_eq!(Name::parse(bad), Err(InvalidName::Length), "{bad}");
        }
        assert_eq!(Name::parse(&format!("a{}b", " ".repeat(900))), Name::parse("a b"));
    }

    #[test]
    fn spaces_of_every_kind_become_one() {
        for typed in ["Oil\u{a0}Filter", "Oil \u{2009}\u{3000} Filter", " Oil\u{2028}Filter ", "Oil\u{2800}Filter"] {
            assert_eq!(Name::parse(typed), Name::parse("Oil Filter"), "{typed:?}");
        }
        let stored = Name("Oil  Filter".to_owned());
        let [alike, other] = ["Oil Filter", "OilFilter"].map(|text| Name::parse(text).expect("a name"));
        assert!(stored != alike && stored.has_words_of(&alike) && !stored.has_words_of(&other));
    }

    #[test]
    fn joiners_stay_where_indian_scripts_need_them() {
        for good in
            ["तऱ्\u{200d}हा", "क्\u{200d}ष पैड", "র\u{200d}\u{9cd}যাক", "ശ്രീ അവന്\u{200d}", "ක්\u{200d}ෂ", "ನಾನ್\u{200c}ಸ್ಟಾಪ್"]
        {
            assert_eq!(Name::parse(good).map(|name| name.to_string()).as_deref(), Ok(good), "{good:?}");
        }
        for bad in [
            "Pad\u{200d}s",
            "क्\u{200d}\u{200d}ष",
            "\u{200d}कख",
            "कख\u{200c}",
            "क\u{200d}a",
            "a\u{200c}क",
            "का \u{200d}ख",
            "👩\u{200d}🔧 kit",
        ] {
            assert_eq!(Name::parse(bad), Err(InvalidName::Characters), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn a_checked_name_stays_as_it_is(text in "\\PC{0,60}|[a-zé \u{a0}\u{200d}\u{94d}क-ह]{0,130}") {
            if let Ok(name) = Name::parse(&text) {
                prop_assert_eq!(Name::parse(name.as_str()), Ok(name));
            }
        }
    }

    #[test]
    fn descriptions_are_counted_in_characters() {
        assert!(Description::parse("").is_none());
        assert!(Description::parse(&"é".repeat(5_000)).is_some());
        assert!(Description::parse(&"é".repeat(5_001)).is_none());
    }
}
