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
    level_counters: [AtomicU64; 4],
    /// Counts the inserts and changes of all products together.
    all_products_counter: AtomicU64,
    part_counters: Box<[AtomicU64]>,
}

impl Generations {
    pub(super) fn new() -> Self {
        let part_counters = (0..COUNTERS).map(|_| AtomicU64::new(0)).collect();
        Self { level_counters: Default::default(), all_products_counter: AtomicU64::new(0), part_counters }
    }

    /// Returns the generation of an existing document.
    pub(super) fn of_document(&self, code: &FullCode) -> Generation {
        let level_count = self.level_count(code.level());
        self.add_part(level_count, Part::Document(code))
    }

    /// Returns the generation of an existing product.
    pub(super) fn of_product(&self, id: ProductId) -> Generation {
        self.add_part(self.level_count(TreeLevel::Product), Part::Product(id))
    }

    /// Returns the generation of the list of children of `parent`, which are on the level `child_level`.
    ///
    /// The levels above `child_level` count as well: if the parent or one of its parents is deleted, the list must not
    /// be shown any more.
    pub(super) fn of_children(&self, parent: Option<&FullCode>, child_level: TreeLevel) -> Generation {
        let levels_above = TreeLevel::ALL.into_iter().take_while(|level| *level != child_level);
        let level_counts = levels_above.chain([child_level]).map(|level| self.level_count(level));
        self.add_part(level_counts.fold(0, u64::wrapping_add), Part::Children(parent.map(FullCode::as_str)))
    }

    /// Returns the generation of an answer that may show any product, such as a search of the whole catalogue.
    pub(super) fn of_all_products(&self) -> Generation {
        let change_count = self.all_products_counter.load(Ordering::SeqCst);
        Generation(self.level_count(TreeLevel::Product).wrapping_add(change_count))
    }

    /// Increments the counters of what has changed, so that every answer that shows it gets another generation.
    ///
    /// Must be called after the change is committed and before it is acknowledged.
    pub(super) fn count_change(&self, changed: &ChangedPart) {
        match changed {
            ChangedPart::Branch(code) => self.count_change_of_document(code),
            ChangedPart::Product(id, code) => {
                increment(self.part_counter(Part::Product(*id)));
                increment(&self.all_products_counter);
                self.count_change_of_document(code);
            }
            ChangedPart::Level(level) => increment(&self.level_counters[*level as usize]),
            ChangedPart::Everything => self.level_counters.iter().for_each(increment),
        }
    }

    fn count_change_of_document(&self, code: &FullCode) {
        increment(self.part_counter(Part::Document(code)));
        increment(self.part_counter(Part::Children(code.parent())));
    }

    /// Returns the generation of a part: the sum of its counter and of the counters of its levels, `level_counts`.
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
    fn add_part(&self, level_counts: u64, part: Part<'_>) -> Generation {
        Generation(level_counts.wrapping_add(self.part_counter(part).load(Ordering::SeqCst)))
    }

    fn level_count(&self, level: TreeLevel) -> u64 {
        self.level_counters[level as usize].load(Ordering::SeqCst)
    }

    fn part_counter(&self, part: Part<'_>) -> &AtomicU64 {
        let mut hasher = DefaultHasher::new();
        part.hash(&mut hasher);
        #[allow(clippy::cast_possible_truncation, reason = "the low bits are all that is used")]
        &self.part_counters[hasher.finish() as usize % COUNTERS]
    }
}

fn increment(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::SeqCst);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the generations of everything that shows a product in some way, and of some answers that do not.
    fn generations_of_answers(generations: &Generations) -> Vec<Generation> {
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

    fn has_new_generation(changed: &ChangedPart) -> Vec<bool> {
        let generations = Generations::new();
        let before = generations_of_answers(&generations);
        generations.count_change(changed);
        before.into_iter().zip(generations_of_answers(&generations)).map(|(before, after)| before != after).collect()
    }

    #[test]
    fn a_change_moves_what_shows_it_and_nothing_else() {
        let product = ChangedPart::Product(ProductId::from([7; 12]), FullCode::join(["A", "B", "C", "D"]));
        assert_eq!(has_new_generation(&product), [true, true, true, false, false, false, true]);
        let brand = ChangedPart::Branch(FullCode::join(["A"]));
        assert_eq!(has_new_generation(&brand), [false, false, false, true, true, false, false]);
    }

    #[test]
    fn a_level_moves_whole_and_with_it_the_lists_below() {
        assert_eq!(
            has_new_generation(&ChangedPart::Level(TreeLevel::Product)),
            [true, true, true, false, false, true, true]
        );
        assert_eq!(
            has_new_generation(&ChangedPart::Level(TreeLevel::Brand)),
            [false, false, true, true, true, false, false]
        );
        assert_eq!(has_new_generation(&ChangedPart::Everything), [true; 7]);
    }
}
