//! Applies rows to the existing entries, in memory. A row that breaks a rule changes nothing at all.

use super::{
    check::{DesiredBranch, DesiredProduct, DesiredRow},
    parent_claims::ParentClaims,
};
use crate::{
    catalogue::{
        EntryImage, InsertError, NewBranch, NewProduct,
        store::{
            branches::{BranchDoc, Brand, Category, Level, Model},
            products::ProductDoc,
            tree::{Codes, Entries, FoundEntries, Node},
        },
    },
    values::{
        codes::FullCode,
        ids::{BrandId, CategoryId, ModelId, ProductId},
        invalid::InvalidField,
        time::Timestamp,
        tree_level::TreeLevel,
    },
};

/// A checked row and the number of the line in which it begins.
#[derive(Debug, Clone)]
pub(super) struct CheckedRow {
    pub(super) number: u64,
    pub(super) desired: DesiredRow,
}

/// What a row does to an entry or, in the report, to the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// It inserts the entry.
    Inserts,
    /// It changes the entry. In the report: it changes its entry or a parent.
    Updates,
    /// Everything is like this already.
    Nothing,
}

/// The outcome of several rows.
#[derive(Debug, Default)]
pub(super) struct MergeOutcome {
    /// The effect of each row or why it failed, with the number of its line.
    pub(super) rows: Vec<(u64, Result<Effect, String>)>,
    /// What the rows that succeeded say about parents.
    pub(super) claims: ParentClaims,
}

/// Returns the full codes of all entries that the rows name.
pub(super) fn codes_of(rows: &[CheckedRow]) -> Codes {
    let mut codes = Codes::default();
    for DesiredRow { branches, product } in rows.iter().map(|row| &row.desired) {
        let levels = [&mut codes.brands, &mut codes.models, &mut codes.categories];
        for (level, branch) in levels.into_iter().zip(branches) {
            level.insert(branch.code.clone());
        }
        codes.products.extend(product.iter().map(|product| product.code.clone()));
    }
    codes
}

/// Brings entries into the states that rows describe, one row after the other.
///
/// `earlier_claims` is what the rows of earlier batches say about parents.
pub(super) fn merge_rows(
    found: &mut FoundEntries,
    rows: &[CheckedRow],
    earlier_claims: &ParentClaims,
    now: Timestamp,
) -> MergeOutcome {
    let mut outcome = MergeOutcome::default();
    for CheckedRow { number, desired } in rows {
        let mut branches = desired.branches.iter();
        let checked = branches.try_for_each(|branch| earlier_claims.check(branch, &outcome.claims));
        let effect = checked.and_then(|()| merge_row(found, desired, now));
        if effect.is_ok() {
            desired.branches.iter().for_each(|branch| outcome.claims.add(branch));
        }
        outcome.rows.push((*number, effect));
    }
    outcome
}

/// Applies one row. All of its entries are worked out before the first one is changed.
fn merge_row(found: &mut FoundEntries, desired: &DesiredRow, now: Timestamp) -> Result<Effect, String> {
    let Some(desired_brand) = desired.branches.first() else { return Ok(Effect::Nothing) };
    let brand = merge_branch(&found.brands, found, desired_brand, |new| new.top(BrandId::new(), now))?;
    let model = match desired.branches.get(1) {
        Some(desired_model) => {
            let parent = &brand.node;
            let make = |new: NewBranch| new.below(ModelId::new(), parent.id, &parent.code, now);
            Some(merge_branch(&found.models, found, desired_model, make)?)
        }
        None => None,
    };
    let category = match (&model, desired.branches.get(2)) {
        (Some(MergedEntry { node: parent, .. }), Some(desired_category)) => {
            let make = |new: NewBranch| new.below(CategoryId::new(), parent.id, &parent.code, now);
            Some(merge_branch(&found.categories, found, desired_category, make)?)
        }
        _ => None,
    };
    let product = match (&category, &desired.product) {
        (Some(category), Some(desired)) => Some(merge_product(&found.products, desired, &category.node, now)?),
        _ => None,
    };
    Ok(MergedRow { brand, model, category, product }.put_into(found))
}

/// The new states of the entries that one row names.
struct MergedRow {
    brand: MergedEntry<BranchDoc<Brand>>,
    model: Option<MergedEntry<BranchDoc<Model>>>,
    category: Option<MergedEntry<BranchDoc<Category>>>,
    product: Option<MergedEntry<ProductDoc>>,
}

impl MergedRow {
    /// Sets the new states of the entries and returns the effect of the row.
    fn put_into(self, found: &mut FoundEntries) -> Effect {
        let Self { brand, model, category, product } = self;
        let mut effect = brand.put_into(&mut found.brands);
        if let Some(model) = model {
            effect = effect.with_child(model.put_into(&mut found.models));
        }
        if let Some(category) = category {
            effect = effect.with_child(category.put_into(&mut found.categories));
        }
        if let Some(product) = product {
            effect = effect.with_child(product.put_into(&mut found.products));
        }
        effect
    }
}

impl Effect {
    /// Returns the effect of a row on an entry and its parents from that on the parents (`self`) and on the entry.
    ///
    /// | parents | entry | row |
    /// |---|---|---|
    /// | any | inserts | inserts |
    /// | nothing | nothing | nothing |
    /// | any other case | | updates |
    fn with_child(self, entry: Self) -> Self {
        match (self, entry) {
            (_, Self::Inserts) => Self::Inserts,
            (Self::Nothing, Self::Nothing) => Self::Nothing,
            _ => Self::Updates,
        }
    }
}

/// The new state of an entry, and what brings it about.
struct MergedEntry<N> {
    node: N,
    effect: Effect,
}

impl<N: Node> MergedEntry<N> {
    /// Sets the new state of the entry, if it differs from the old one, and returns the effect.
    fn put_into(self, entries: &mut Entries<N>) -> Effect {
        if self.effect != Effect::Nothing {
            entries.put(self.node);
        }
        self.effect
    }
}

/// Works out the new state of a brand, model or category. If there is none yet, `make` makes the document.
fn merge_branch<L: Level>(
    entries: &Entries<BranchDoc<L>>,
    found: &FoundEntries,
    desired: &DesiredBranch,
    make: impl FnOnce(NewBranch) -> BranchDoc<L>,
) -> Result<MergedEntry<BranchDoc<L>>, String> {
    match entries.get(&desired.code) {
        Some(existing) => Ok(change_branch(existing, desired)),
        None => {
            refuse_purged(found, &desired.code, desired.level)?;
            Ok(MergedEntry { node: make(new_branch(desired)?), effect: Effect::Inserts })
        }
    }
}

fn change_branch<L: Level>(existing: &BranchDoc<L>, desired: &DesiredBranch) -> MergedEntry<BranchDoc<L>> {
    let mut node = existing.clone();
    // A file that was exported before names had single spaces changes nothing.
    if let Some(name) = desired.name.as_ref().filter(|name| !name.has_words_of(&existing.name)) {
        node.name = name.clone();
    }
    if let Some(url) = &desired.image_url {
        node.show_image(url, None);
    }
    let is_changed = node.name != existing.name || node.image_url != existing.image_url;
    MergedEntry { node, effect: if is_changed { Effect::Updates } else { Effect::Nothing } }
}

/// Returns a new brand, model or category, which needs a name and the URL of an image.
fn new_branch(desired: &DesiredBranch) -> Result<NewBranch, String> {
    let field = |suffix: &str| format!("{}_{suffix}", desired.level.word());
    let name = desired.name.clone().ok_or_else(|| is_required(field("name")))?;
    let url = desired.image_url.clone().ok_or_else(|| is_required(field("image_url")))?;
    Ok(NewBranch { code: desired.own_code.clone(), name, image: EntryImage { url, key: None } })
}

/// Works out the new state of a product.
fn merge_product(
    entries: &Entries<ProductDoc>,
    desired: &DesiredProduct,
    category: &BranchDoc<Category>,
    now: Timestamp,
) -> Result<MergedEntry<ProductDoc>, String> {
    let existing = entries.get(&desired.code);
    let mut node = match existing {
        Some(product) => product.clone(),
        None => new_product(desired)?.below(ProductId::new(), category.id, &category.code, now),
    };
    desired.change.apply_to(&mut node).map_err(|refusal| refusal.to_string())?;
    if let Some(product) = existing.filter(|product| product.name.has_words_of(&node.name)) {
        node.name = product.name.clone();
    }
    if let Some(url) = &desired.image_url {
        node.show_image(url, None);
    }
    let effect = match existing {
        None => Effect::Inserts,
        Some(product) if differ(product, &node) => Effect::Updates,
        Some(_) => Effect::Nothing,
    };
    Ok(MergedEntry { node, effect })
}

/// Returns a new product, which needs a name, a description, a price, a stock and the URL of an image.
fn new_product(desired: &DesiredProduct) -> Result<NewProduct, String> {
    let DesiredProduct { own_code, change, image_url, .. } = desired;
    let stock = change.stock.and_then(|stock| stock.fixed_pieces()).ok_or_else(|| is_required("stock"))?;
    let url = image_url.clone().ok_or_else(|| is_required("image_url"))?;
    Ok(NewProduct {
        code: own_code.clone(),
        name: change.name.clone().ok_or_else(|| is_required("product_name"))?,
        description: change.description.clone().ok_or_else(|| is_required("description"))?,
        price: change.price.ok_or_else(|| is_required("price"))?,
        stock,
        image: EntryImage { url, key: None },
    })
}

/// Returns whether a row has changed anything about a product.
fn differ(before: &ProductDoc, after: &ProductDoc) -> bool {
    before.name != after.name
        || before.description != after.description
        || before.price != after.price
        || before.stock != after.stock
        || before.offer != after.offer
        || before.is_active != after.is_active
        || before.image_url != after.image_url
}

/// Fails if the code belongs to a deleted branch whose products are still being removed.
fn refuse_purged(found: &FoundEntries, code: &FullCode, level: TreeLevel) -> Result<(), String> {
    if found.purged.contains(code) { Err(InsertError::CodeTaken(level).to_string()) } else { Ok(()) }
}

fn is_required(field: impl Into<std::borrow::Cow<'static, str>>) -> String {
    InvalidField::required(field).text
}
