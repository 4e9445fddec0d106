//! Tells what an import would do, without writing anything.
//!
//! A row may depend on the rows before it: they may have inserted its parents, or changed the same product. A rehearsal
//! therefore remembers the states of all entries that would have been written, as digests, so that a long file takes
//! little memory.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::{
    check::{DesiredBranch, DesiredProduct},
    fault::Fault,
    merge::{
        CheckedRow, Effect, ImageEffect, MergeOutcome, MergedEntry, Merging, Oddity, RowOutcome, code_taken,
        merge_branch, merge_product,
    },
    options::{ImportMode, StockRule},
    parent_claims::ParentClaims,
    rows::Column,
};
use crate::{
    catalogue::{
        NewBranch, NewProduct, OfferChange,
        rules::{names::Name, pricing::Offer},
        store::{
            branches::{BranchDoc, Level},
            products::ProductDoc,
            tree::Node,
        },
    },
    values::{
        codes::FullCode,
        ids::{BrandId, CategoryId, ModelId, ProductId},
        tree_level::TreeLevel,
    },
};

/// The most entries that a rehearsal remembers. They take about 30 MB.
const MOST_ENTRIES: usize = 400_000;

/// Digests of name, description, image, price, stock, offer and visibility of an entry. Branches have the first and
/// the third only.
type State = [u32; 7];
/// The digests of the fields that a row names.
type Given = [Option<u32>; 7];

const NAME: usize = 0;
const DESCRIPTION: usize = 1;
const IMAGE: usize = 2;
const STOCK: usize = 4;
const OFFER: usize = 5;

/// The entries that the rows so far would have written, by digests of their full codes.
#[derive(Debug, Default)]
pub(super) struct Rehearsal(HashMap<u64, State>);

/// What a row would do to one entry.
struct Rehearsed {
    effect: Effect,
    state: State,
    warning: Option<Oddity>,
    image: ImageEffect,
}

impl Rehearsal {
    /// Tells what `merge_rows` would do to the entries as they would be after all earlier rows.
    pub(super) fn merge_rows(
        &mut self,
        merging: &Merging,
        rows: &[CheckedRow],
        earlier_claims: &ParentClaims,
    ) -> MergeOutcome {
        let mut outcome = MergeOutcome::default();
        for row in rows {
            let checked = outcome.check_claims(row, earlier_claims);
            outcome.add(row, checked.and_then(|()| self.merge_row(merging, row)));
        }
        outcome
    }

    /// Rehearses one row. All of its entries are worked out before the first one is remembered.
    fn merge_row(&mut self, merging: &Merging, row: &CheckedRow) -> Result<RowOutcome, Fault> {
        let (mut outcome, mut states) = (RowOutcome::default(), Vec::new());
        let mut add = |code: &FullCode, rehearsed: Rehearsed| {
            outcome.add_child(rehearsed.effect, rehearsed.warning, rehearsed.image);
            if rehearsed.effect != Effect::Nothing {
                states.push((key(code), rehearsed.state));
            }
        };
        for branch in row.desired.branches() {
            add(&branch.0.code, self.branch(merging, branch)?);
        }
        if let Some(product) = &row.desired.product {
            add(&product.code, self.product(merging, product)?);
        }
        if self.0.len() + states.len() > MOST_ENTRIES {
            return Err(Fault::of_row(format!("a dry run follows at most {MOST_ENTRIES} entries that change")));
        }
        self.0.extend(states);
        Ok(outcome)
    }

    fn branch(&self, merging: &Merging, branch: (&DesiredBranch, bool)) -> Result<Rehearsed, Fault> {
        let (desired, is_own) = branch;
        if let Some(state) = self.0.get(&key(&desired.code)) {
            let garbled = desired.garbled_name.as_slice();
            return change(*state, given_for_branch(desired), garbled, merging.options.mode, is_own, desired.level);
        }
        let Merging { found, now, .. } = *merging;
        let parent = desired.code.parents().next_back().unwrap_or_else(|| desired.code.clone());
        // Nothing is stored, so any ids will do.
        match desired.level {
            TreeLevel::Brand => {
                merge_branch(merging, &found.brands, branch, |new| new.top(BrandId::new(), now)).map(of_branch)
            }
            TreeLevel::Model => {
                let make = |new: NewBranch| new.below(ModelId::new(), BrandId::new(), &parent, now);
                merge_branch(merging, &found.models, branch, make).map(of_branch)
            }
            TreeLevel::Category | TreeLevel::Product => {
                let make = |new: NewBranch| new.below(CategoryId::new(), ModelId::new(), &parent, now);
                merge_branch(merging, &found.categories, branch, make).map(of_branch)
            }
        }
    }

    fn product(&self, merging: &Merging, desired: &DesiredProduct) -> Result<Rehearsed, Fault> {
        if let Some(state) = self.0.get(&key(&desired.code)) {
            let mut given = given_for_product(desired);
            if merging.options.stock == StockRule::Keep {
                given[STOCK] = None;
            }
            return change(*state, given, &desired.garbled, merging.options.mode, true, TreeLevel::Product);
        }
        let parent = desired.code.parents().next_back().unwrap_or_else(|| desired.code.clone());
        let make = |new: NewProduct| new.below(ProductId::new(), CategoryId::new(), &parent, merging.now);
        merge_product(merging, desired, make).map(|merged| {
            let state = state_of_product(&merged.node);
            Rehearsed { effect: merged.effect, state, warning: merged.warning, image: merged.image }
        })
    }
}

/// Tells what a row would do to an entry that an earlier row would have written.
fn change(
    before: State,
    given: Given,
    garbled: &[Fault],
    mode: ImportMode,
    is_own: bool,
    level: TreeLevel,
) -> Result<Rehearsed, Fault> {
    let state: State = std::array::from_fn(|field| given[field].unwrap_or(before[field]));
    let unchanged = |image| Rehearsed { effect: Effect::Nothing, state: before, warning: None, image };
    if state == before {
        return Ok(unchanged(ImageEffect::Nothing));
    }
    let shows_another = state[IMAGE] != before[IMAGE];
    if mode == ImportMode::Insert {
        let image = if shows_another { ImageEffect::IsIgnored } else { ImageEffect::Nothing };
        return if is_own { Err(code_taken(level)) } else { Ok(unchanged(image)) };
    }
    let image = if shows_another { ImageEffect::Changes } else { ImageEffect::Nothing };
    let is_new = |fault: &&Fault| {
        let field = field_of(fault);
        state[field] != before[field]
    };
    match garbled.iter().find(is_new) {
        Some(fault) => Err(fault.clone()),
        None => Ok(Rehearsed { effect: Effect::Updates, state, warning: None, image }),
    }
}

/// Returns the place in [`State`] of the field whose text is garbled.
fn field_of(fault: &Fault) -> usize {
    match fault.column {
        Some(Column::Description) => DESCRIPTION,
        Some(Column::OfferDescription) => OFFER,
        _ => NAME,
    }
}

fn of_branch<L: Level>(merged: MergedEntry<BranchDoc<L>>) -> Rehearsed {
    let mut state = State::default();
    state[NAME] = digest_of_name(&merged.node.name);
    state[IMAGE] = digest(merged.node.image_url().as_str());
    Rehearsed { effect: merged.effect, state, warning: merged.warning, image: merged.image }
}

fn given_for_branch(desired: &DesiredBranch) -> Given {
    let mut given = Given::default();
    given[NAME] = desired.name.as_ref().map(digest_of_name);
    given[IMAGE] = desired.image_url.as_ref().map(|url| digest(url.as_str()));
    given
}

fn state_of_product(product: &ProductDoc) -> State {
    [
        digest_of_name(&product.name),
        digest(product.description.as_str()),
        digest(product.image_url.as_str()),
        digest(&product.price.to_string()),
        digest(&product.stock.to_string()),
        digest_of_offer(product.offer.as_ref()),
        digest(&product.is_active.to_string()),
    ]
}

fn given_for_product(desired: &DesiredProduct) -> Given {
    let change = &desired.change;
    let offer = |change: &OfferChange| match change {
        OfferChange::Remove => digest_of_offer(None),
        OfferChange::Replace(offer) => digest_of_offer(Some(offer)),
    };
    [
        change.name.as_ref().map(digest_of_name),
        change.description.as_ref().map(|text| digest(text.as_str())),
        desired.image_url.as_ref().map(|url| digest(url.as_str())),
        change.price.map(|price| digest(&price.to_string())),
        change.stock.and_then(|stock| stock.fixed_pieces()).map(|pieces| digest(&pieces.to_string())),
        change.offer.as_ref().map(offer),
        change.is_active.map(|flag| digest(&flag.to_string())),
    ]
}

/// Names that differ in nothing but the number of spaces have the same digest, since such a difference changes nothing.
fn digest_of_name(name: &Name) -> u32 {
    digest(&name.as_str().split_whitespace().collect::<Vec<_>>().join(" "))
}

fn digest_of_offer(offer: Option<&Offer>) -> u32 {
    digest(&format!("{offer:?}"))
}

/// Returns the first bytes of the SHA-256 digest of a full code, to remember it by.
pub(super) fn key(code: &FullCode) -> u64 {
    let whole = Sha256::digest(code.as_str());
    u64::from_be_bytes(std::array::from_fn(|index| whole[index]))
}

/// Returns the first bytes of the SHA-256 digest of a text.
fn digest(text: &str) -> u32 {
    let whole = Sha256::digest(text);
    u32::from_be_bytes(std::array::from_fn(|index| whole[index]))
}
