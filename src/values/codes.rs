//! Codes of the catalogue; four of them, joined, name a product: `TATA-NEXON-BRK-PAD1`.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::tree_level::TreeLevel;

/// The code of a brand, model or category (2 to 10 of `A-Z0-9`) or of a product (1 to 20).
/// It never holds a `-`, so that joined codes can't be read in two ways, and never changes.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Code(String);

/// Why a text is no code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidCode {
    /// Too long or too short.
    Length,
    /// Something else than `A-Z0-9`.
    Characters,
}

impl Code {
    /// Checks a trimmed text as the code of a brand, model or category.
    pub fn parse(text: &str) -> Result<Self, InvalidCode> {
        Self::of_length(text, 2, 10)
    }

    /// Checks a trimmed text as the code of a product.
    pub fn parse_product(text: &str) -> Result<Self, InvalidCode> {
        Self::of_length(text, 1, 20)
    }

    fn of_length(text: &str, min: usize, max: usize) -> Result<Self, InvalidCode> {
        if !(min..=max).contains(&text.chars().count()) {
            return Err(InvalidCode::Length);
        }
        if !text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) {
            return Err(InvalidCode::Characters);
        }
        Ok(Self(text.to_owned()))
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Codes from the brand downwards, joined by `-`; unique on its level of the tree. Ordered as their bytes are, which puts
/// each entry right before everything below it: `-` comes before any other character of a code.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FullCode(String);

impl FullCode {
    /// Joins what a caller named, valid or not: codes that can't exist are simply not found. A `-` inside one of them
    /// becomes another character that no code has, so that it isn't taken for a joint.
    pub fn join<'a>(codes: impl IntoIterator<Item = &'a str>) -> Self {
        Self(codes.into_iter().map(|code| code.replace('-', "_")).collect::<Vec<_>>().join("-"))
    }

    /// The full code of a child.
    pub fn child(&self, code: &Code) -> Self {
        Self(format!("{}-{}", self.0, code.0))
    }

    /// The full codes of the parents, the brand first; empty for a brand.
    pub fn parents(&self) -> impl DoubleEndedIterator<Item = FullCode> {
        self.0.match_indices('-').map(|(at, _)| FullCode(self.0[..at].to_owned())).collect::<Vec<_>>().into_iter()
    }

    /// A full code as one text; `None` where it has more or fewer parts than the codes of that level.
    pub fn of_level(level: TreeLevel, text: &str) -> Option<Self> {
        let code = Self(text.to_owned());
        (code.level() == Some(level)).then_some(code)
    }

    /// The level of the tree on which such codes are; `None` below the products.
    pub fn level(&self) -> Option<TreeLevel> {
        TreeLevel::ALL.get(self.0.matches('-').count()).copied()
    }

    /// The full code of the parent, borrowed; `None` for a brand.
    pub fn parent(&self) -> Option<&str> {
        self.0.rsplit_once('-').map(|(parent, _)| parent)
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&FullCode> for bson::Bson {
    fn from(code: &FullCode) -> Self {
        code.0.as_str().into()
    }
}

impl fmt::Display for FullCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_short_and_plain() {
        assert!(Code::parse("BB").is_ok() && Code::parse("ABCDEFGH12").is_ok());
        assert!(Code::parse_product("1").is_ok());
        for short in ["", "B", "ABCDEFGH123"] {
            assert_eq!(Code::parse(short), Err(InvalidCode::Length), "{short}");
        }
        for bad in ["bb", "A-B", "A B", "ÄB", "A\0", "٣٣"] {
            assert_eq!(Code::parse(bad), Err(InvalidCode::Characters), "{bad}");
        }
    }

    #[test]
    fn a_full_code_knows_its_parents() {
        let full = FullCode::join(["TATA", "NEXON", "BRK", "PAD1"]);
        let parents: Vec<String> = full.parents().map(|code| code.to_string()).collect();
        assert_eq!(parents, ["TATA", "TATA-NEXON", "TATA-NEXON-BRK"]);
        assert_eq!(FullCode::join(["TATA"]).parents().count(), 0);
        assert_eq!((full.parent(), full.level()), (Some("TATA-NEXON-BRK"), Some(TreeLevel::Product)));
        assert_eq!(FullCode::join(["TATA-NEXON", "BRK"]).parents().count(), 1);
        let product = |text| FullCode::of_level(TreeLevel::Product, text);
        assert_eq!(product("TATA-NEXON-BRK-PAD1"), Some(full));
        assert_eq!((product("TATA-NEXON"), product("A-B-C-D-E")), (None, None));
    }
}
