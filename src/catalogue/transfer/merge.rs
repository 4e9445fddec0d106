//! Applies rows to the existing entries, in memory. A row that breaks a rule changes nothing at all.

use std::collections::BTreeSet;

use super::{
    check::{DesiredBranch, DesiredProduct, DesiredRow},
    fault::Fault,
    look_alikes::{self, originals},
    options::{ImportMode, ImportOptions, StockRule},
    parent_claims::ParentClaims,
    rows::{Column, Row},
    warnings::Warning,
};
use crate::{
    catalogue::{
        EntryImage, InsertError, NewBranch, NewProduct, UpdateError,
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
    /// The row as it was read, for the report.
    pub(super) row: Row,
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

/// What a row does to the image of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ImageEffect {
    /// The entry shows the image of the row already, or the row names none.
    Nothing,
    /// The entry shows another image than before.
    Changes,
    /// The entry is left alone, and goes on showing another image.
    IsIgnored,
}

/// What a row does to the catalogue.
#[derive(Debug)]
pub(super) struct RowOutcome {
    pub(super) effect: Effect,
    /// What is odd about the row.
    pub(super) oddities: Vec<Oddity>,
    /// What it does to the image on each level that it names, from the brand downwards.
    pub(super) images: Vec<ImageEffect>,
}

impl Default for RowOutcome {
    fn default() -> Self {
        Self { effect: Effect::Nothing, oddities: Vec::new(), images: Vec::new() }
    }
}

/// The outcome of several rows.
#[derive(Debug, Default)]
pub(super) struct MergeOutcome {
    /// The effect of each row or why it failed, in the order of the rows.
    pub(super) rows: Vec<Result<Effect, Fault>>,
    /// What is odd about rows that succeeded.
    pub(super) warnings: Vec<Warning>,
    /// What the rows that succeeded say about parents.
    pub(super) claims: ParentClaims,
    /// The URLs that entries show in place of others.
    pub(super) new_urls: BTreeSet<String>,
    /// The URLs that the rows name but that no entry shows because of them, with the numbers of their lines.
    pub(super) ignored_urls: BTreeSet<(u64, String)>,
}

/// Returns the full codes of all entries that the rows name.
pub(super) fn codes_of(rows: &[CheckedRow]) -> Codes {
    let mut codes = Codes::default();
    for DesiredRow { branches, product } in rows.iter().map(|row| &row.desired) {
        let levels = [&mut codes.brands, &mut codes.models, &mut codes.categories];
        for (level, branch) in levels.into_iter().zip(branches) {
            if level.insert(branch.code.clone()) {
                codes.look_alikes[branch.level as usize].extend(originals(
                    branch.level,
                    &branch.code,
                    &branch.own_code,
                ));
            }
        }
        if let Some(product) = product {
            let originals = originals(TreeLevel::Product, &product.code, &product.own_code);
            codes.look_alikes[TreeLevel::Product as usize].extend(originals);
            codes.products.insert(product.code.clone());
        }
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
    options: ImportOptions,
    now: Timestamp,
) -> MergeOutcome {
    let mut outcome = MergeOutcome::default();
    for row in rows {
        let merge = || merge_row(&Merging { found, options, now }, &row.desired);
        let merged = outcome.check_claims(row, earlier_claims).and_then(|()| merge());
        outcome.add(row, merged.map(|merged| merged.put_into(found)));
    }
    outcome
}

impl MergeOutcome {
    /// Checks that a row doesn't contradict the rows before it.
    pub(super) fn check_claims(&self, row: &CheckedRow, earlier_claims: &ParentClaims) -> Result<(), Fault> {
        row.desired.branches.iter().try_for_each(|branch| earlier_claims.check(branch, &self.claims))
    }

    /// Adds the outcome of the next row.
    pub(super) fn add(&mut self, row: &CheckedRow, outcome: Result<RowOutcome, Fault>) {
        self.rows.push(outcome.map(|RowOutcome { effect, oddities, images }| {
            let line = row.number;
            row.desired.branches.iter().for_each(|branch| self.claims.add(branch));
            let warning = |(column, text): Oddity| Warning { line, column: column.name(), text };
            self.warnings.extend(oddities.into_iter().map(warning));
            for (url, image) in row.desired.image_urls().zip(images) {
                match (url, image) {
                    (Some(url), ImageEffect::Changes) => drop(self.new_urls.insert(url.to_string())),
                    (Some(url), ImageEffect::IsIgnored) => drop(self.ignored_urls.insert((line, url.to_string()))),
                    _ => {}
                }
            }
            effect
        }));
    }
}

/// A column, and a sentence about what is odd there.
pub(super) type Oddity = (Column, String);

/// What the merging of each row needs.
pub(super) struct Merging<'a> {
    pub(super) found: &'a FoundEntries,
    pub(super) options: ImportOptions,
    pub(super) now: Timestamp,
}

/// Works out all new states of the entries that one row names. None of them is changed yet.
fn merge_row(merging: &Merging, desired: &DesiredRow) -> Result<MergedRow, Fault> {
    let Merging { found, now, .. } = *merging;
    let mut branches = desired.branches();
    let Some(desired_brand) = branches.next() else { return Err(InvalidField::required("brand_code").into()) };
    let brand = merge_branch(merging, &found.brands, desired_brand, |new| new.top(BrandId::new(), now))?;
    let model = match branches.next() {
        Some(desired_model) => {
            let parent = &brand.node;
            let make = |new: NewBranch| new.below(ModelId::new(), parent.id, &parent.code, now);
            Some(merge_branch(merging, &found.models, desired_model, make)?)
        }
        None => None,
    };
    let category = match (&model, branches.next()) {
        (Some(MergedEntry { node: parent, .. }), Some(desired_category)) => {
            let make = |new: NewBranch| new.below(CategoryId::new(), parent.id, &parent.code, now);
            Some(merge_branch(merging, &found.categories, desired_category, make)?)
        }
        _ => None,
    };
    let product = match (&category, &desired.product) {
        (Some(category), Some(desired)) => {
            let make = |new: NewProduct| new.below(ProductId::new(), category.node.id, &category.node.code, now);
            Some(merge_product(merging, desired, make)?)
        }
        _ => None,
    };
    Ok(MergedRow { brand, model, category, product })
}

/// The new states of the entries that one row names.
struct MergedRow {
    brand: MergedEntry<BranchDoc<Brand>>,
    model: Option<MergedEntry<BranchDoc<Model>>>,
    category: Option<MergedEntry<BranchDoc<Category>>>,
    product: Option<MergedEntry<ProductDoc>>,
}

impl MergedRow {
    /// Sets the new states of the entries. Returns what the row does.
    fn put_into(self, found: &mut FoundEntries) -> RowOutcome {
        let Self { brand, model, category, product } = self;
        let mut outcome = RowOutcome::default();
        brand.put_into(&mut found.brands, &mut outcome);
        if let Some(model) = model {
            model.put_into(&mut found.models, &mut outcome);
        }
        if let Some(category) = category {
            category.put_into(&mut found.categories, &mut outcome);
        }
        if let Some(product) = product {
            product.put_into(&mut found.products, &mut outcome);
        }
        outcome
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
    pub(super) fn with_child(self, entry: Self) -> Self {
        match (self, entry) {
            (_, Self::Inserts) => Self::Inserts,
            (Self::Nothing, Self::Nothing) => Self::Nothing,
            _ => Self::Updates,
        }
    }
}

/// The new state of an entry, and what brings it about.
pub(super) struct MergedEntry<N> {
    pub(super) node: N,
    pub(super) effect: Effect,
    pub(super) warning: Option<Oddity>,
    pub(super) image: ImageEffect,
}

impl<N: Node> MergedEntry<N> {
    /// Sets the new state of the entry, if it differs from the old one, and adds what was done to the outcome.
    fn put_into(self, entries: &mut Entries<N>, outcome: &mut RowOutcome) {
        outcome.add_child(self.effect, self.warning, self.image);
        if self.effect != Effect::Nothing {
            entries.put(self.node);
        }
    }
}

impl RowOutcome {
    /// Adds what the row does to the next entry, which is below those before.
    pub(super) fn add_child(&mut self, effect: Effect, oddity: Option<Oddity>, image: ImageEffect) {
        self.effect = self.effect.with_child(effect);
        self.oddities.extend(oddity);
        self.images.push(image);
    }
}

/// Works out the new state of a brand, model or category. If there is none yet, `make` makes the document.
///
/// `desired` comes with whether the row is about this branch.
pub(super) fn merge_branch<L: Level>(
    merging: &Merging,
    entries: &Entries<BranchDoc<L>>,
    (desired, is_own): (&DesiredBranch, bool),
    make: impl FnOnce(NewBranch) -> BranchDoc<L>,
) -> Result<MergedEntry<BranchDoc<L>>, Fault> {
    let Merging { found, options, .. } = merging;
    let Some(existing) = entries.get(&desired.code) else {
        refuse_insertion(merging, &desired.code, desired.level)?;
        desired.garbled_name.clone().map_or(Ok(()), Err)?;
        let warning = look_alikes::warning(found, desired.level, &desired.code, &desired.own_code);
        let warning = warning.map(|text| (Column::code_of(desired.level), text));
        let (effect, image) = (Effect::Inserts, ImageEffect::Changes);
        return Ok(MergedEntry { node: make(new_branch(desired)?), effect, warning, image });
    };
    let changed = change_branch(existing, desired);
    if changed.effect == Effect::Nothing {
        return Ok(changed);
    }
    if options.mode == ImportMode::Insert {
        let image = match changed.image {
            ImageEffect::Changes => ImageEffect::IsIgnored,
            other => other,
        };
        let unchanged = MergedEntry { node: existing.clone(), effect: Effect::Nothing, warning: None, image };
        return if is_own { Err(code_taken(desired.level)) } else { Ok(unchanged) };
    }
    match &desired.garbled_name {
        Some(fault) if changed.node.name != existing.name => Err(fault.clone()),
        _ => Ok(changed),
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
    let image = image_effect(existing, &node);
    let is_changed = node.name != existing.name || image == ImageEffect::Changes;
    MergedEntry { node, effect: if is_changed { Effect::Updates } else { Effect::Nothing }, warning: None, image }
}

fn image_effect<N: Node>(before: &N, after: &N) -> ImageEffect {
    if before.image_url() == after.image_url() { ImageEffect::Nothing } else { ImageEffect::Changes }
}

/// Returns a new brand, model or category, which needs a name and the URL of an image.
fn new_branch(desired: &DesiredBranch) -> Result<NewBranch, Fault> {
    let field = |suffix: &str| format!("{}_{suffix}", desired.level.word());
    let name = desired.name.clone().ok_or_else(|| is_required(field("name")))?;
    let url = desired.image_url.clone().ok_or_else(|| is_required(field("image_url")))?;
    Ok(NewBranch { code: desired.own_code.clone(), name, image: EntryImage { url, key: None } })
}

/// Works out the new state of a product. If there is none yet, `make` makes the document.
pub(super) fn merge_product(
    merging: &Merging,
    desired: &DesiredProduct,
    make: impl FnOnce(NewProduct) -> ProductDoc,
) -> Result<MergedEntry<ProductDoc>, Fault> {
    let Merging { found, options, .. } = merging;
    let existing = found.products.get(&desired.code);
    let mut change = desired.change.clone();
    let mut node = match existing {
        Some(product) => product.clone(),
        None => {
            refuse_insertion(merging, &desired.code, TreeLevel::Product)?;
            make(new_product(desired)?)
        }
    };
    if existing.is_some() && options.stock == StockRule::Keep {
        change.stock = None;
    }
    change.apply_to(&mut node).map_err(|refusal| Fault::of_row(refusal.to_string()))?;
    if let Some(product) = existing.filter(|product| product.name.has_words_of(&node.name)) {
        node.name = product.name.clone();
    }
    if let Some(url) = &desired.image_url {
        node.show_image(url, None);
    }
    let effect = match existing {
        None => Effect::Inserts,
        Some(product) if !differ(product, &node) => Effect::Nothing,
        Some(_) if options.mode == ImportMode::Insert => return Err(code_taken(TreeLevel::Product)),
        Some(_) => Effect::Updates,
    };
    refuse_garbled(existing, &node, desired)?;
    let warning = match existing {
        None => look_alikes::warning(found, TreeLevel::Product, &desired.code, &desired.own_code)
            .map(|text| (Column::ProductCode, text)),
        Some(before) => remade_text(before, &node),
    };
    let image = existing.map_or(ImageEffect::Changes, |product| image_effect(product, &node));
    Ok(MergedEntry { node, effect, warning, image })
}

/// Returns a warning about a text of which a spreadsheet may have made another number or date.
fn remade_text(before: &ProductDoc, after: &ProductDoc) -> Option<Oddity> {
    let offers = before.offer.as_ref().zip(after.offer.as_ref());
    let texts = [
        Some((Column::ProductName, before.name.as_str(), after.name.as_str())),
        Some((Column::Description, before.description.as_str(), after.description.as_str())),
        offers.map(|(before, after)| (Column::OfferDescription, &*before.description, &*after.description)),
    ];
    let is_changed = |(_, before, after): &(Column, &str, &str)| look_alikes::may_be_remade(before, after);
    let (column, before, after) = texts.into_iter().flatten().find(is_changed)?;
    let name = column.name();
    Some((column, format!("{name} was {before} and becomes {after}; a spreadsheet may have changed it")))
}

/// Fails if a text would be stored that was read in the wrong encoding. A text that is stored already may stay.
fn refuse_garbled(before: Option<&ProductDoc>, after: &ProductDoc, desired: &DesiredProduct) -> Result<(), Fault> {
    let is_new = |fault: &&Fault| match (before, fault.column) {
        (None, _) => true,
        (Some(before), Some(Column::ProductName)) => before.name != after.name,
        (Some(before), Some(Column::Description)) => before.description != after.description,
        (Some(before), _) => before.offer != after.offer,
    };
    desired.garbled.iter().find(is_new).map_or(Ok(()), |fault| Err(fault.clone()))
}

/// Returns a new product, which needs a name, a description, a price, a stock and the URL of an image.
fn new_product(desired: &DesiredProduct) -> Result<NewProduct, Fault> {
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

/// Fails if nothing may be inserted, or if the code belongs to a deleted branch whose products are still being removed.
fn refuse_insertion(merging: &Merging, code: &FullCode, level: TreeLevel) -> Result<(), Fault> {
    if merging.options.mode == ImportMode::Update {
        return Err(Fault::at(Column::code_of(level), UpdateError::NotFound(level).to_string()));
    }
    if merging.found.purged.contains(code) { Err(code_taken(level)) } else { Ok(()) }
}

/// Returns the fault of a row whose entry exists already.
pub(super) fn code_taken(level: TreeLevel) -> Fault {
    Fault::at(Column::code_of(level), InsertError::CodeTaken(level).to_string())
}

fn is_required(field: impl Into<std::borrow::Cow<'static, str>>) -> Fault {
    InvalidField::required(field).into()
}
