//! Codes of the catalogue. The four codes of a brand, a model, a category and a product, joined by `-`, name a product:
//! `TATA-NEXON-BRK-PAD1`.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::{text_value::text_values, tree_level::TreeLevel};

/// How many codes stand before that of a product.
const PRODUCT_DEPTH: usize = 3;

/// The code of a brand, model or category (2 to 10 of `A-Z0-9`) or of a product (1 to 40 of them, with single `-` or
/// `.` between them, as in `04465-0K090`).
///
/// The codes of branches contain no `-`, so that joined codes can be split in one way only: the first three parts are
/// the branches, and the rest is the product. The code of an entry never changes.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Code(String);

/// Why a text is not a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidCode {
    /// It is too long or too short.
    Length,
    /// It contains a character that codes don't have, or a sign that doesn't stand between letters or digits.
    Characters,
}

impl Code {
    /// Checks a trimmed text, in any case, as the code of a brand, model or category.
    pub fn parse(text: &str) -> Result<Self, InvalidCode> {
        Self::of_parts(text, 2..=10, &[])
    }

    /// Checks a trimmed text, in any case, as the code of a product.
    pub fn parse_product(text: &str) -> Result<Self, InvalidCode> {
        Self::of_parts(text, 1..=40, &['-', '.'])
    }

    /// Checks a text that consists of parts with one of `signs` between them.
    fn of_parts(text: &str, length: RangeInclusive<usize>, signs: &[char]) -> Result<Self, InvalidCode> {
        if !length.contains(&text.chars().count()) {
            return Err(InvalidCode::Length);
        }
        let is_part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric());
        if !text.split(signs).all(is_part) {
            return Err(InvalidCode::Characters);
        }
        Ok(Self(text.to_ascii_uppercase()))
    }
}

/// The codes of an entry and of its parents, joined by `-`, the brand's code first; unique among the entries of one
/// level.
///
/// Full codes are ordered by their bytes. Each branch is followed by everything below it, because `-` comes before all
/// other characters of a code: `TATA`, `TATA-NEXON`, `TATA-NEXON-BRK`, `TATA-TIAGO`, `TATA2`. Products may be between
/// each other in any way: `…-BRK-P1-A` follows `…-BRK-P1` and isn't below it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FullCode(String);

text_values!(Code, FullCode);

impl FullCode {
    /// Joins codes as a caller sent them, in any case. They aren't checked: a full code that can't exist is not found
    /// later. A `-` inside the code of a branch is replaced by `_`, which no code contains, so that it doesn't separate
    /// two codes.
    pub fn join<'a>(codes: impl IntoIterator<Item = &'a str>) -> Self {
        let unsplit = |(depth, code): (usize, &str)| match depth {
            PRODUCT_DEPTH => code.to_owned(),
            _ => code.replace('-', "_"),
        };
        let parts: Vec<String> = codes.into_iter().enumerate().map(unsplit).collect();
        Self(parts.join("-").to_ascii_uppercase())
    }

    /// Reads a full code of any level that was sent as one text, in any case. Its parts aren't checked.
    pub fn read(text: &str) -> Self {
        Self(text.to_ascii_uppercase())
    }

    /// Returns the full code of the child with this code.
    pub fn child(&self, code: &Code) -> Self {
        Self(format!("{}-{}", self.0, code.0))
    }

    /// Returns the full codes of all entries above, the brand first; none for a brand.
    pub fn parents(&self) -> impl DoubleEndedIterator<Item = FullCode> {
        self.joints().map(|at| FullCode(self.0[..at].to_owned())).collect::<Vec<_>>().into_iter()
    }

    /// Reads a full code that was sent as one text, in any case; returns `None` if it has more or fewer parts than the
    /// full codes of that level. The parts themselves aren't checked.
    pub fn of_level(level: TreeLevel, text: &str) -> Option<Self> {
        let code = Self::read(text);
        (code.level() == level).then_some(code)
    }

    /// Returns the level of the tree whose full codes have as many parts. Everything after the third `-` is the code of
    /// a product.
    pub fn level(&self) -> TreeLevel {
        TreeLevel::ALL[self.joints().count()]
    }

    /// Returns the full code of the entry directly above; `None` for a brand.
    pub fn parent(&self) -> Option<&str> {
        self.joints().last().map(|at| &self.0[..at])
    }

    /// Returns the places of the `-` that separate two codes. Later ones belong to the code of a product.
    fn joints(&self) -> impl Iterator<Item = usize> {
        self.0.match_indices('-').map(|(at, _)| at).take(PRODUCT_DEPTH)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn codes_are_short_and_plain() {
        assert!(Code::parse("BB").is_ok() && Code::parse("ABCDEFGH12").is_ok());
        assert_eq!(Code::parse("tata"), Code::parse("TATA"));
        for short in ["", "B", "ABCDEFGH123"] {
            assert_eq!(Code::parse(short), Err(InvalidCode::Length), "{short}");
        }
        for bad in ["A-B", "A.B", "A B", "ÄB", "A\0", "٣٣", "ſs", "ıb"] {
            assert_eq!(Code::parse(bad), Err(InvalidCode::Characters), "{bad}");
        }
    }

    #[test]
    fn codes_of_products_are_part_numbers() {
        for good in ["1", "04465-0K090", "A.B-C", &"A".repeat(40), &"A-".repeat(19)[..37]] {
            assert_eq!(Code::parse_product(&good.to_lowercase()).map(|code| code.to_string()).as_deref(), Ok(good));
        }
        for bad in ["-A", "A-", "A--B", "A.-B", ".", "-", "A_B", "A/B", "A B", "É1", "A–B"] {
            assert_eq!(Code::parse_product(bad), Err(InvalidCode::Characters), "{bad}");
        }
        assert_eq!(
            ["", &"A".repeat(41)].map(Code::parse_product),
            [Err(InvalidCode::Length), Err(InvalidCode::Length)]
        );
    }

    #[test]
    fn a_full_code_knows_its_parents() {
        let full = FullCode::join(["TATA", "NEXON", "BRK", "PAD1"]);
        let parents: Vec<String> = full.parents().map(|code| code.to_string()).collect();
        assert_eq!(parents, ["TATA", "TATA-NEXON", "TATA-NEXON-BRK"]);
        assert_eq!(FullCode::join(["TATA"]).parents().count(), 0);
        assert_eq!((full.parent(), full.level()), (Some("TATA-NEXON-BRK"), TreeLevel::Product));
        assert_eq!(FullCode::join(["TATA-NEXON", "BRK"]).parents().count(), 1);
        let product = |text| FullCode::of_level(TreeLevel::Product, text);
        assert_eq!(product("tata-Nexon-BRK-pad1"), Some(full));
        assert_eq!(product("TATA-NEXON"), None);
        let signed = FullCode::join(["tata", "nexon", "brk", "04465-0k090.a"]);
        assert_eq!(signed.as_str(), "TATA-NEXON-BRK-04465-0K090.A");
        assert_eq!((signed.parent(), signed.parents().count()), (Some("TATA-NEXON-BRK"), 3));
        assert_eq!(product(signed.as_str()), Some(signed));
    }

    proptest! {
        #[test]
        fn full_codes_are_split_in_one_way(
            branches in "[A-Z0-9]{2,10}(-[A-Z0-9]{2,10}){2}",
            own in "[A-Za-z0-9]{1,5}([-.][A-Za-z0-9]{1,5}){0,5}",
        ) {
            let own = Code::parse_product(&own).expect("a code");
            let code = FullCode::join(branches.split('-').chain([own.as_str()]));
            prop_assert_eq!(&code, &FullCode::read(&branches).child(&own));
            prop_assert_eq!(code.parent(), Some(branches.as_str()));
            let parents: Vec<TreeLevel> = code.parents().map(|parent| parent.level()).collect();
            prop_assert_eq!(parents, &TreeLevel::ALL[..3]);
        }
    }
}
