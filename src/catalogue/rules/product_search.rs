//! The search of the whole catalogue: what can be asked, how results are ranked, and the keys by which products are
//! found.
//!
//! Results are ranked by tiers. Example for the text `brake p`:
//!
//! | tier | a product that belongs to it |
//! |---|---|
//! | [`Tier::FullCode`], [`Tier::OwnCode`] | none, because codes have no spaces |
//! | [`Tier::NameStart`] | "Brake pad" |
//! | [`Tier::NameWords`] | "Pad for brake discs": one word begins with `brake`, one with `p` |
//! | [`Tier::Description`] | "Disc" with the description "Fits the brake type P" |
//!
//! A product belongs to the best tier that matches it.

use std::collections::BTreeSet;

use unicode_normalization::char::is_combining_mark;

use super::search::SearchText;
use crate::values::{
    codes::Code,
    ids::ProductId,
    money::Money,
    text::{folded, is_joiner},
};

/// A search of the whole catalogue. A product must satisfy all of its parts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ProductSearch {
    /// The text to look for in codes, names and descriptions.
    pub text: SearchText,
    /// Only products of the brand with this code.
    pub brand: Option<Code>,
    /// Only products of models with this own code, of any brand.
    pub model: Option<Code>,
    /// Only products of categories with this own code, of any model.
    pub category: Option<Code>,
    /// Only products that cost at least this, before any offer.
    pub min_price: Option<Money>,
    /// Only products that cost at most this, before any offer.
    pub max_price: Option<Money>,
    /// `true` for products in stock only, `false` for products out of stock only.
    pub in_stock: Option<bool>,
    pub order: Order,
}

/// The order of the results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    /// The best tier first. Inside a tier, products are sorted by code or name.
    Relevance,
    /// The lowest price before any offer first.
    LowestPrice,
    /// The highest price before any offer first.
    HighestPrice,
    /// The product that was inserted last comes first.
    Newest,
}

impl Order {
    /// Returns the order with this name in the API; `None` if there is no such name.
    pub fn named(word: &str) -> Option<Self> {
        match word {
            "relevance" => Some(Self::Relevance),
            "price" => Some(Self::LowestPrice),
            "-price" => Some(Self::HighestPrice),
            "newest" => Some(Self::Newest),
            _ => None,
        }
    }
}

/// The way in which a product matches a text, from the best to the weakest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// Its full code begins with the text.
    FullCode,
    /// Its own code begins with the text.
    OwnCode,
    /// Its name begins with the text.
    NameStart,
    /// Each word of the text is the beginning of a word of its name, in any order.
    NameWords,
    /// Each word of the text is somewhere in its name or description, and at least one of them is a whole word there.
    Description,
}

impl Tier {
    /// All tiers, the best first.
    pub const ALL: [Self; 5] = [Self::FullCode, Self::OwnCode, Self::NameStart, Self::NameWords, Self::Description];
}

/// The place of a product among the results. A cursor holds the place of the last product of a page.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ResultPosition {
    /// The tier in which the product was found.
    ///
    /// In orders other than [`Order::Relevance`] all results are in one tier: `FullCode` if the text looks like the
    /// full code of a product and codes begin with it, otherwise `Description`.
    pub tier: Tier,
    /// The value by which the results are sorted: a code, a [`name_key`] or a price in minor units. Empty in
    /// [`Order::Newest`], which sorts by `id` alone.
    pub sort_value: String,
    /// The id of the product, which decides between equal values.
    pub id: ProductId,
}

impl ResultPosition {
    /// Returns the place as a cursor holds it: the number of the tier (1 byte), the id (12 bytes), then the value.
    pub fn bytes(&self) -> Vec<u8> {
        [&[self.tier as u8], &self.id.bytes()[..], self.sort_value.as_bytes()].concat()
    }
}

/// The bytes are not a [`ResultPosition`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a place among finds")]
pub struct InvalidPosition;

impl TryFrom<Vec<u8>> for ResultPosition {
    type Error = InvalidPosition;

    fn try_from(bytes: Vec<u8>) -> Result<Self, InvalidPosition> {
        let (tier_number, rest) = bytes.split_first().ok_or(InvalidPosition)?;
        let (id, value_bytes) = rest.split_first_chunk::<12>().ok_or(InvalidPosition)?;
        let tier = *Tier::ALL.get(usize::from(*tier_number)).ok_or(InvalidPosition)?;
        let sort_value = std::str::from_utf8(value_bytes).map_err(|_| InvalidPosition)?.to_owned();
        Ok(Self { tier, sort_value, id: (*id).into() })
    }
}

/// Returns the form of a name by which it is found: without differences of case and width, without joiners, with single
/// spaces.
///
/// Example: `" Brake  PAD"` becomes `"brake pad"`. Without the joiners, which are invisible, words of Indian scripts
/// stay whole and are found however they are typed.
pub fn name_key(name: &str) -> String {
    text_key(name).replace(is_joiner, "")
}

/// Returns the form of a text whose words are looked up in descriptions: a [`name_key`] with joiners. The database
/// keeps descriptions as they were typed.
pub fn text_key(text: &str) -> String {
    folded(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the words of a [`name_key`], each once and sorted.
///
/// A word consists of letters, digits and the marks on them. Every other character ends a word, so that `-`, a quote or
/// `*` in a search has no special meaning.
pub fn words_of(name_key: &str) -> Vec<&str> {
    let is_in_word = |c: char| c.is_alphanumeric() || is_combining_mark(c);
    let words: BTreeSet<&str> = name_key.split(|c| !is_in_word(c)).filter(|word| !word.is_empty()).collect();
    words.into_iter().collect()
}

/// Returns the text in upper case, as the beginning of a code; `None` if it holds a character that no code has.
pub fn code_prefix(text: &str) -> Option<String> {
    let is_in_code = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    text.chars().all(is_in_code).then(|| text.to_ascii_uppercase())
}

/// Returns whether the beginning of a code has at least four parts, like `TATA-NEXON-BRK-PAD`.
///
/// Such a text is most likely meant as the code of a product and as nothing else.
pub fn looks_like_full_code(prefix: &str) -> bool {
    prefix.splitn(4, '-').filter(|part| !part.is_empty()).count() == 4
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_found_whatever_their_case_width_and_spaces() {
        for name in ["Brake  Pad", "BRAKE PAD", " brake\u{a0}pad", "ｂｒａｋｅ pad"] {
            assert_eq!(name_key(name), "brake pad", "{name}");
        }
        assert_eq!([name_key("GROẞ"), name_key("Groß")], ["gross", "gross"]);
        assert_eq!(words_of(&name_key("Pad (front) & disc, 4.5/6' -PAD")), ["4", "5", "6", "disc", "front", "pad"]);
        assert_eq!(words_of(&name_key("मारुति é")), ["é", "मारुति"]);
        assert_eq!(words_of(&name_key("क्\u{200d}ष पैड")), ["क्ष", "पैड"]);
        assert_eq!(words_of("\" - .* ("), [""; 0]);
    }

    #[test]
    fn codes_begin_with_letters_digits_and_joints() {
        assert_eq!(code_prefix("tata-nex").as_deref(), Some("TATA-NEX"));
        assert_eq!(["A-B-C-D", "A-B-C", "A-B-C-", "A-B-C-D-E"].map(looks_like_full_code), [true, false, false, true]);
        assert_eq!(code_prefix("04465-0k.").as_deref(), Some("04465-0K."));
        assert_eq!([code_prefix("brake pad"), code_prefix("é1"), code_prefix("A_B")], [None, None, None]);
    }

    proptest! {
        #[test]
        fn a_place_is_what_its_bytes_say(tier in 0..5_usize, sort_value in ".{0,60}", id: [u8; 12]) {
            let position = ResultPosition { tier: Tier::ALL[tier], sort_value, id: id.into() };
            prop_assert_eq!(ResultPosition::try_from(position.bytes()), Ok(position));
        }

        #[test]
        fn what_is_no_place_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(position) = ResultPosition::try_from(bytes.clone()) {
                prop_assert_eq!(position.bytes(), bytes);
            }
        }

        #[test]
        fn keys_of_keys_are_the_same(name in ".{0,60}") {
            let key = name_key(&name);
            prop_assert_eq!(name_key(&key), key);
        }
    }
}
