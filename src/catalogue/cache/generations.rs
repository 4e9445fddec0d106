//! Counters that say how old a copy may be. A copy is kept under the generation that its parts had before it was loaded;
//! once one of them has changed, nobody asks for that generation any more.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::atomic::{AtomicU64, Ordering},
};

use crate::{
    catalogue::store::catalogue_changes::Touched,
    values::{codes::FullCode, ids::ProductId, tree_level::TreeLevel},
};

/// Counters of single parts. Parts that share one by chance only make each other load anew, so the number is a matter of
/// memory (8 bytes each) against that.
const COUNTERS: usize = 1 << 15;

/// The state that something was in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Generation(u64);

/// What a copy is made of.
#[derive(Debug, Clone, Copy, Hash)]
pub enum Part<'a> {
    /// The document with a full code.
    Document(&'a FullCode),
    /// The documents right below a full code, or at the top.
    Children(Option<&'a str>),
    /// The product with an id.
    Product(ProductId),
}

/// All counters of a process.
pub struct Generations {
    levels: [AtomicU64; 4],
    /// Moves with every product.
    any_product: AtomicU64,
    parts: Box<[AtomicU64]>,
}

impl Generations {
    pub(super) fn new() -> Self {
        let parts = (0..COUNTERS).map(|_| AtomicU64::new(0)).collect();
        Self { levels: Default::default(), any_product: AtomicU64::new(0), parts }
    }

    /// The generation of a document that is there.
    pub(super) fn of_document(&self, code: &FullCode) -> Generation {
        let level = code.level().map_or(0, |level| self.level(level));
        self.with(Part::Document(code), level)
    }

    /// The generation of a product that is there.
    pub(super) fn of_product(&self, id: ProductId) -> Generation {
        self.with(Part::Product(id), self.level(TreeLevel::Product))
    }

    /// The generation of the children of a parent on `level`, and of all above them: where a parent is missing, there is
    /// no list of its children.
    pub(super) fn of_children(&self, parent: Option<&FullCode>, level: TreeLevel) -> Generation {
        let levels = TreeLevel::ALL.into_iter().take_while(|above| *above != level);
        let levels = levels.chain([level]).fold(0_u64, |sum, level| sum.wrapping_add(self.level(level)));
        self.with(Part::Children(parent.map(FullCode::as_str)), levels)
    }

    /// The generation of what may show any product.
    pub(super) fn of_all_products(&self) -> Generation {
        Generation(self.level(TreeLevel::Product).wrapping_add(self.any_product.load(Ordering::SeqCst)))
    }

    /// Everything that holds a touched part is in another generation from now on.
    pub(super) fn bump(&self, touched: &Touched) {
        match touched {
            Touched::Branch(code) => self.bump_document(code),
            Touched::Product(id, code) => {
                raise(self.part(Part::Product(*id)));
                raise(&self.any_product);
                self.bump_document(code);
            }
            Touched::Level(level) => raise(&self.levels[*level as usize]),
            Touched::Everything => self.levels.iter().for_each(raise),
        }
    }

    fn bump_document(&self, code: &FullCode) {
        raise(self.part(Part::Document(code)));
        raise(self.part(Part::Children(code.parent())));
    }

    /// A sum of counters that only rise is the same again only if none has moved. While some rise, reading them one
    /// after the other gives a sum between those of the first and the last moment: whoever loads after that loads a state
    /// that is at least as new as the sum, and whoever finds a copy under a sum wanted nothing newer.
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

    /// The generations of everything that shows a product in some way, and of some things that don't.
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

    fn moved(touched: &Touched) -> Vec<bool> {
        let generations = Generations::new();
        let before = seen(&generations);
        generations.bump(touched);
        before.into_iter().zip(seen(&generations)).map(|(before, after)| before != after).collect()
    }

    #[test]
    fn a_change_moves_what_shows_it_and_nothing_else() {
        let product = Touched::Product(ProductId::from([7; 12]), FullCode::join(["A", "B", "C", "D"]));
        assert_eq!(moved(&product), [true, true, true, false, false, false, true]);
        let brand = Touched::Branch(FullCode::join(["A"]));
        assert_eq!(moved(&brand), [false, false, false, true, true, false, false]);
    }

    #[test]
    fn a_level_moves_whole_and_with_it_the_lists_below() {
        assert_eq!(moved(&Touched::Level(TreeLevel::Product)), [true, true, true, false, false, true, true]);
        assert_eq!(moved(&Touched::Level(TreeLevel::Brand)), [false, false, true, true, true, false, false]);
        assert_eq!(moved(&Touched::Everything), [true; 7]);
    }
}
