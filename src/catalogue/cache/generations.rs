//! Counters that tell whether a copy in memory is out of date.
//!
//! Each document, each list of children and each level of the tree has a counter. A change increments the counters of
//! what it touches. The sum of the counters behind an answer is the answer's [`Generation`], and the generation is a
//! part of the key under which a copy is kept. So a change never has to remove copies: it changes the key, and the next
//! reader does not find the old copy any more. The cache evicts old copies when it needs room.
//!
//! Example with the answer that shows the product `TATA-NEXON-BRK-PAD`:
//!
//! | what happens | counter of level `Product` | counter of the document | key of the copy |
//! |---|---|---|---|
//! | a reader loads the product | 3 | 5 | (product, 8) |
//! | its price changes | 3 | 6 | (product, 9) |
//! | another product is deleted | 4 | 6 | (product, 10) |
//!
//! A deletion touches the whole level, because the number of deleted documents has no limit.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::atomic::{AtomicU64, Ordering},
};

use crate::{
    catalogue::store::catalogue_changes::ChangedPart,
    values::{codes::FullCode, ids::ProductId, tree_level::TreeLevel},
};

/// Number of counters for single documents and lists, 8 bytes each.
///
/// A hash picks the counter. If two parts share one by chance, a change of one makes the other load again, which costs
/// time but is never wrong. More counters take more memory and make this rarer.
const COUNTERS: usize = 1 << 15;

/// The sum of the counters of everything that an answer shows.
///
/// Two equal generations of the same answer mean that nothing it shows has changed in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Generation(u64);

/// A part of the catalogue that has a counter of its own.
#[derive(Debug, Clone, Copy, Hash)]
pub enum Part<'a> {
    /// The document with this full code.
    Document(&'a FullCode),
    /// The list of children of the entry with this full code; `None` for the list of brands.
    Children(Option<&'a str>),
    /// The product with this id, for carts, which know products by id only.
    Product(ProductId),
}

/// All counters of this process.
pub struct Generations {
    levels: [AtomicU64; 4],
    /// Counts the inserts and changes of all products together.
    any_product: AtomicU64,
    parts: Box<[AtomicU64]>,
}

impl Generations {
    pub(super) fn new() -> Self {
        let parts = (0..COUNTERS).map(|_| AtomicU64::new(0)).collect();
        Self { levels: Default::default(), any_product: AtomicU64::new(0), parts }
    }

    /// Returns the generation of an existing document.
    pub(super) fn of_document(&self, code: &FullCode) -> Generation {
        let level = code.level().map_or(0, |level| self.level(level));
        self.with(Part::Document(code), level)
    }

    /// Returns the generation of an existing product.
    pub(super) fn of_product(&self, id: ProductId) -> Generation {
        self.with(Part::Product(id), self.level(TreeLevel::Product))
    }

    /// Returns the generation of the list of children of `parent`; `level` is the level of the children.
    ///
    /// The levels above `level` count as well: if the parent or one of its parents is deleted, the list must not be
    /// shown any more.
    pub(super) fn of_children(&self, parent: Option<&FullCode>, level: TreeLevel) -> Generation {
        let levels = TreeLevel::ALL.into_iter().take_while(|above| *above != level);
        let levels = levels.chain([level]).fold(0_u64, |sum, level| sum.wrapping_add(self.level(level)));
        self.with(Part::Children(parent.map(FullCode::as_str)), levels)
    }

    /// Returns the generation of an answer that may show any product, such as a search of the whole catalogue.
    pub(super) fn of_all_products(&self) -> Generation {
        Generation(self.level(TreeLevel::Product).wrapping_add(self.any_product.load(Ordering::SeqCst)))
    }

    /// Increments the counters of what was touched, so that every answer that shows it gets another generation.
    ///
    /// Must be called after the change is committed and before it is acknowledged.
    pub(super) fn bump(&self, touched: &ChangedPart) {
        match touched {
            ChangedPart::Branch(code) => self.bump_document(code),
            ChangedPart::Product(id, code) => {
                raise(self.part(Part::Product(*id)));
                raise(&self.any_product);
                self.bump_document(code);
            }
            ChangedPart::Level(level) => raise(&self.levels[*level as usize]),
            ChangedPart::Everything => self.levels.iter().for_each(raise),
        }
    }

    fn bump_document(&self, code: &FullCode) {
        raise(self.part(Part::Document(code)));
        raise(self.part(Part::Children(code.parent())));
    }

    /// Adds the counter of a part to the sum of the counters of its levels.
    ///
    /// The counters only increase, so equal sums mean that none of them has changed. They are read one after the other,
    /// so a change in the middle gives a sum between the one at the first read and the one at the last. That is safe:
    ///
    /// | time | event | true sum | reader A | reader B |
    /// |---|---|---|---|---|
    /// | 1 | | 0 | reads the level: 0 | |
    /// | 2 | the level changes | 1 | | |
    /// | 3 | | 1 | | reads both: sum 1, loads, stores the copy under 1 |
    /// | 4 | the part changes | 2 | | |
    /// | 5 | | 2 | reads the part: 1, sum 1, finds the copy of B | |
    ///
    /// A gets a copy without the change of time 4. That is allowed, because A began before that change. In general: a
    /// copy that is stored under a sum was loaded when the true sum was at least as high, and a reader asks for a sum
    /// that is at least the true one at the moment when it began. So it finds every change that was counted before it
    /// began.
    fn with(&self, part: Part<'_>, levels: u64) -> Generation {
        Generation(levels.wrapping_add(self.part(part).load(Ordering::SeqCst)))
    }

    fn level(&self, level: TreeLevel) -> u64 {
        self.levels[level as usize].load(Ordering::SeqCst)
    }

    fn part(&self, part: Part<'_>) -> &AtomicU64 {
        let mut hasher = DefaultHasher::new();
        part.hash(&mut hasher);
        #[allow(clippy::cast_possible_truncation, reason = "the low bits are all that is used")]
        &self.parts[hasher.finish() as usize % COUNTERS]
    }
}

fn raise(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::SeqCst);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the generations of everything that shows a product in some way, and of some answers that do not.
    fn seen(generations: &Generations) -> Vec<Generation> {
        let code = |text: &str| FullCode::join(text.split('-'));
        vec![
            generations.of_product(ProductId::from([7; 12])),
            generations.of_document(&code("A-B-C-D")),
            generations.of_children(Some(&code("A-B-C")), TreeLevel::Product),
            generations.of_document(&code("A")),
            generations.of_children(None, TreeLevel::Brand),
            generations.of_product(ProductId::from([9; 12])),
            generations.of_all_products(),
        ]
    }

    fn moved(touched: &ChangedPart) -> Vec<bool> {
        let generations = Generations::new();
        let before = seen(&generations);
        generations.bump(touched);
        before.into_iter().zip(seen(&generations)).map(|(before, after)| before != after).collect()
    }

    #[test]
    fn a_change_moves_what_shows_it_and_nothing_else() {
        let product = ChangedPart::Product(ProductId::from([7; 12]), FullCode::join(["A", "B", "C", "D"]));
        assert_eq!(moved(&product), [true, true, true, false, false, false, true]);
        let brand = ChangedPart::Branch(FullCode::join(["A"]));
        assert_eq!(moved(&brand), [false, false, false, true, true, false, false]);
    }

    #[test]
    fn a_level_moves_whole_and_with_it_the_lists_below() {
        assert_eq!(moved(&ChangedPart::Level(TreeLevel::Product)), [true, true, true, false, false, true, true]);
        assert_eq!(moved(&ChangedPart::Level(TreeLevel::Brand)), [false, false, true, true, true, false, false]);
        assert_eq!(moved(&ChangedPart::Everything), [true; 7]);
    }
}
