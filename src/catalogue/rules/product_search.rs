//! Searching the whole catalogue: what somebody wants, how finds are ranked, and the keys under which products are found.

use std::collections::BTreeSet;

use unicode_normalization::char::is_combining_mark;

use super::search::SearchText;
use crate::values::{codes::Code, ids::ProductId, money::Money, text::folded};

/// What is wanted of the whole catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ProductSearch {
    /// What products are looked for by.
    pub text: SearchText,
    /// Only those of brands with this code.
    pub brand: Option<Code>,
    /// Only those of models with this code of their own.
    pub model: Option<Code>,
    /// Only those of categories with this code of their own.
    pub category: Option<Code>,
    /// Only those that cost at least this before any offer.
    pub min_price: Option<Money>,
    /// Only those that cost at most this before any offer.
    pub max_price: Option<Money>,
    /// Only those that are in stock, or only those that aren't.
    pub in_stock: Option<bool>,
    /// What comes first.
    pub order: Order,
}

/// What comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    /// The better tier, and in it what comes first by its code or name.
    Relevance,
    /// The lowest price.
    Cheapest,
    /// The highest price.
    Dearest,
    /// What was inserted last.
    Newest,
}

impl Order {
    /// By the word that callers use for it.
    pub fn named(word: &str) -> Option<Self> {
        match word {
            "relevance" => Some(Self::Relevance),
            "price" => Some(Self::Cheapest),
            "-price" => Some(Self::Dearest),
            "newest" => Some(Self::Newest),
            _ => None,
        }
    }
}

/// In what way a product matches a text, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// Its full code begins with it.
    FullCode,
    /// Its own code begins with it.
    OwnCode,
    /// Its name begins with it.
    NameStart,
    /// Each word of the text begins a word of its name.
    NameWords,
    /// It has each word of the text in its name or description, and at least one of them as a whole word.
    Description,
}

impl Tier {
    /// All of them, the best first.
    pub const ALL: [Self; 5] = [Self::FullCode, Self::OwnCode, Self::NameStart, Self::NameWords, Self::Description];
}

/// Where a page of finds ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// The tier; the first of them where finds aren't ranked.
    pub tier: Tier,
    /// What the tier or the order goes by: a code, a name's key, or a price in minor units.
    pub key: String,
    /// The product.
    pub id: ProductId,
}

impl Place {
    /// As a cursor holds it.
    pub fn bytes(&self) -> Vec<u8> {
        [&[self.tier as u8], &self.id.bytes()[..], self.key.as_bytes()].concat()
    }
}

/// The bytes are no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a place among finds")]
pub struct NoPlace;

impl TryFrom<Vec<u8>> for Place {
    type Error = NoPlace;

    fn try_from(bytes: Vec<u8>) -> Result<Self, NoPlace> {
        let (tier, rest) = bytes.split_first().ok_or(NoPlace)?;
        let (id, key) = rest.split_first_chunk::<12>().ok_or(NoPlace)?;
        let tier = *Tier::ALL.get(usize::from(*tier)).ok_or(NoPlace)?;
        let key = std::str::from_utf8(key).map_err(|_| NoPlace)?.to_owned();
        Ok(Self { tier, key, id: (*id).into() })
    }
}

/// The form of a name under which prefixes of it are found: folded, with single spaces.
pub fn name_key(name: &str) -> String {
    folded(name).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The words of a [`name_key`], each once: letters and digits with the marks that belong to them. All else parts words,
/// so that a `-`, a quote or a `*` in a search has no meaning.
pub fn words(key: &str) -> Vec<&str> {
    let in_word = |c: char| c.is_alphanumeric() || is_combining_mark(c);
    let words: BTreeSet<&str> = key.split(|c| !in_word(c)).filter(|word| !word.is_empty()).collect();
    words.into_iter().collect()
}

/// The text as the beginning of a code; `None` where no code begins so.
pub fn code_start(text: &str) -> Option<String> {
    let in_code = |c: char| c.is_ascii_alphanumeric() || c == '-';
    text.chars().all(in_code).then(|| text.to_ascii_uppercase())
}

/// Whether the beginning of a code is as long as the codes of products: such a text is hardly meant as anything else.
pub fn is_full_code(start: &str) -> bool {
    start.split('-').count() == 4 && start.split('-').all(|part| !part.is_empty())
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
        assert_eq!(words(&name_key("Pad (front) & disc, 4.5/6' -PAD")), ["4", "5", "6", "disc", "front", "pad"]);
        assert_eq!(words(&name_key("मारुति é")), ["é", "मारुति"]);
        assert_eq!(words("\" - .* ("), [""; 0]);
    }

    #[test]
    fn codes_begin_with_letters_digits_and_joints() {
        assert_eq!(code_start("tata-nex").as_deref(), Some("TATA-NEX"));
        assert_eq!(["A-B-C-D", "A-B-C", "A-B-C-", "A-B-C-D-E"].map(is_full_code), [true, false, false, false]);
        assert_eq!([code_start("brake pad"), code_start("é1"), code_start("A_B")], [None, None, None]);
    }

    proptest! {
        #[test]
        fn a_place_is_what_its_bytes_say(tier in 0..5_usize, key in ".{0,60}", id: [u8; 12]) {
            let place = Place { tier: Tier::ALL[tier], key, id: id.into() };
            prop_assert_eq!(Place::try_from(place.bytes()), Ok(place));
        }

        #[test]
        fn what_is_no_place_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(place) = Place::try_from(bytes.clone()) {
                prop_assert_eq!(place.bytes(), bytes);
            }
        }

        #[test]
        fn keys_of_keys_are_the_same(name in ".{0,60}") {
            let key = name_key(&name);
            prop_assert_eq!(name_key(&key), key);
        }
    }
}
