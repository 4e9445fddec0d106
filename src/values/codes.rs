//! Codes of the catalogue. The four codes of a brand, a model, a category and a product, joined by `-`, name a product:
//! `TATA-NEXON-BRK-PAD1`.

use serde::{Deserialize, Serialize};

use super::{text_value::text_values, tree_level::TreeLevel};

/// The code of a brand, model or category (2 to 10 characters of `A-Z0-9`) or of a product (1 to 20 of them).
///
/// A code contains no `-`, so that joined codes can be split in one way only. The code of an entry never changes.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Code(String);

/// Why a text is not a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidCode {
    /// It is too long or too short.
    Length,
    /// It contains a character other than `A-Z0-9`.
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
}

/// The codes of an entry and of its parents, joined by `-`, the brand's code first; unique among the entries of one
/// level.
///
/// Full codes are ordered by their bytes. Each entry is followed by everything below it, because `-` comes before all
/// other characters of a code: `TATA`, `TATA-NEXON`, `TATA-NEXON-BRK`, `TATA-TIAGO`, `TATA2`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FullCode(String);

text_values!(Code, FullCode);

impl FullCode {
    /// Joins codes as a caller sent them. They aren't checked: a full code that can't exist is not found later. A `-`
    /// inside one of them is replaced by `_`, which no code contains, so that it doesn't separate two codes.
    pub fn join<'a>(codes: impl IntoIterator<Item = &'a str>) -> Self {
        Self(codes.into_iter().map(|code| code.replace('-', "_")).collect::<Vec<_>>().join("-"))
    }

    /// Returns the full code of the child with this code.
    pub fn child(&self, code: &Code) -> Self {
        Self(format!("{}-{}", self.0, code.0))
    }

    /// Returns the full codes of all entries above, the brand first; none for a brand.
    pub fn parents(&self) -> impl DoubleEndedIterator<Item = FullCode> {
        self.0.match_indices('-').map(|(at, _)| FullCode(self.0[..at].to_owned())).collect::<Vec<_>>().into_iter()
    }

    /// Reads a full code that was sent as one text; returns `None` if it has more or fewer parts than the full codes of
    /// that level. The parts themselves aren't checked.
    pub fn of_level(level: TreeLevel, text: &str) -> Option<Self> {
        let code = Self(text.to_owned());
        (code.level() == Some(level)).then_some(code)
    }

    /// Returns the level of the tree whose full codes have as many parts; `None` for more than four parts.
    pub fn level(&self) -> Option<TreeLevel> {
        TreeLevel::ALL.get(self.0.matches('-').count()).copied()
    }

    /// Returns the full code of the entry directly above; `None` for a brand.
    pub fn parent(&self) -> Option<&str> {
        self.0.rsplit_once('-').map(|(parent, _)| parent)
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
