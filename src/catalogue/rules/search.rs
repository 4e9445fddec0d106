//! The text of a search: plain text, found anywhere in other texts, whatever the case and the accents.

use crate::values::{
    invalid::InvalidField,
    text::{literal, without_accents},
};

/// How many characters the text of a search has.
const LENGTH: std::ops::RangeInclusive<usize> = 1..=100;

/// A text of 1 to 100 characters without spaces around it. None of its characters has a special meaning.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SearchText(String);

impl SearchText {
    /// Trims and checks the query parameter `q`. Errors name the field `q`.
    pub fn parse(q: Option<&str>) -> Result<Self, InvalidField> {
        let refusal = |text: &str| InvalidField { field: "q".into(), text: text.to_owned() };
        let text = q.unwrap_or_default().trim();
        if text.is_empty() {
            return Err(refusal("missing required query parameter: q"));
        }
        if !LENGTH.contains(&text.chars().count()) {
            return Err(refusal("q must be 1 to 100 characters"));
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the text as it was typed, without the spaces around it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns a regular expression that matches the text literally.
    pub fn pattern(&self) -> String {
        literal(&self.0)
    }

    /// Returns a regular expression for texts without case and accents; `None` if nothing is left of this text without
    /// them.
    pub fn plain_pattern(&self) -> Option<String> {
        let plain = without_accents(&self.0);
        (!plain.is_empty()).then(|| literal(&plain))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(q: &str) -> String {
        SearchText::parse(Some(q)).map_or_else(|invalid| invalid.text, |_| String::new())
    }

    #[test]
    fn a_search_has_1_to_100_characters() {
        for (q, expected) in [
            ("", "missing required query parameter: q"),
            ("   ", "missing required query parameter: q"),
            ("\u{a0}\t\u{3000} ", "missing required query parameter: q"),
            (" a ", ""),
            (&"a".repeat(101), "q must be 1 to 100 characters"),
            ("ab", ""),
            ("éé", ""),
            (&"é".repeat(100), ""),
        ] {
            assert_eq!(refusal(q), expected, "{q}");
        }
        assert_eq!(SearchText::parse(None).expect_err("missing").text, "missing required query parameter: q");
    }

    #[test]
    fn nothing_in_a_pattern_has_a_meaning() {
        let pattern = |q| SearchText::parse(Some(q)).expect("a search").pattern();
        assert_eq!(pattern("brake pad 2é"), "brake\\ pad\\ 2é");
        assert_eq!(pattern(".*"), "\\.\\*");
        let plain = |q| SearchText::parse(Some(q)).expect("a search").plain_pattern();
        assert_eq!(plain("Ë.*  İÇ").as_deref(), Some("e\\.\\*\\ ic"));
        assert_eq!(plain("\u{301}\u{200d}"), None);
        assert_eq!(pattern("a\\Eb\0c\nd"), "a\\\\Eb\\x00c\\\nd");
    }
}
