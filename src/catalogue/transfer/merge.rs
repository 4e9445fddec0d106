//! Applies rows to the existing entries, in memory. A row that breaks a rule changes nothing at all.

use super::{
    check::{DesiredBranch, DesiredProduct, DesiredRow},
    parent_claims::ParentClaims,
};
use crate::{
    catalogue::{
        EntryImage, InsertError, NewBranch, NewProduct,
        store::{
            branches::{BranchDoc, Category, Level},
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
        url::ImageUrl,
    },
};

/// A checked row and the number of the line in which it begins.
#[derive(Debug, Clone)]
pub(super) struct WantedLine {
    pub(super) number: u64,
    pub(super) wanted: DesiredRow,
}

/// The outcome of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    /// Its entry was inserted.
    Inserted,
    /// It changed its entry or a parent.
    Updated,
    /// Everything was like this already.
    Unchanged,
}

/// The outcome of several rows.
#[derive(Debug, Default)]
pub(super) struct Merged {
    /// The outcome of each row, with the number of its line.
    pub(super) lines: Vec<(u64, Result<Done, String>)>,
    /// What the rows that succeeded say about parents.
    pub(super) said: ParentClaims,
}

/// Returns the full codes of all entries that the rows name.
pub(super) fn codes(lines: &[WantedLine]) -> Codes {
    let mut codes = Codes::default();
    for DesiredRow { branches, product } in lines.iter().map(|line| &line.wanted) {
        let levels = [&mut codes.brands, &mut codes.models, &mut codes.categories];
        for (level, branch) in levels.into_iter().zip(branches) {
            level.insert(branch.code.clone());
        }
        codes.products.extend(product.iter().map(|product| product.code.clone()));
    }
    codes
}

/// Brings entries into the states that rows describe, one row after the other.
pub(super) fn merge(found: &mut FoundEntries, lines: &[WantedLine], said: &ParentClaims, now: Timestamp) -> Merged {
    let mut merged = Merged::default();
    for WantedLine { number, wanted } in lines {
        let refused = wanted.branches.iter().find_map(|branch| said.refusal(branch, &merged.said));
        let done = refused.map_or_else(|| apply(found, wanted, now), Err);
        if done.is_ok() {
            wanted.branches.iter().for_each(|branch| merged.said.add(branch));
        }
        merged.lines.push((*number, done));
    }
    merged
}

/// Applies one row. All of its entries are worked out before the first one is changed.
fn apply(found: &mut FoundEntries, wanted: &DesiredRow, now: Timestamp) -> Result<Done, String> {
    let Some(wish) = wanted.branches.first() else { return Ok(Done::Unchanged) };
    let brand = branch(&found.brands, found, wish, |new| new.top(BrandId::new(), now))?;
    let model = match wanted.branches.get(1) {
        Some(wish) => {
            let (id, code) = (brand.node.id, &brand.node.code);
            Some(branch(&found.models, found, wish, |new| new.below(ModelId::new(), id, code, now))?)
        }
        None => None,
    };
    let category = match (&model, wanted.branches.get(2)) {
        (Some(MergedEntry { node: model, .. }), Some(wish)) => {
            let make = |new: NewBranch| new.below(CategoryId::new(), model.id, &model.code, now);
            Some(branch(&found.categories, found, wish, make)?)
        }
        _ => None,
    };
    let product = match (&category, &wanted.product) {
        (Some(category), Some(wish)) => Some(one_product(&found.products, wish, &category.node, now)?),
        _ => None,
    };
    let below = [model.as_ref().map(|m| m.done), category.as_ref().map(|c| c.done), product.as_ref().map(|p| p.done)];
    let done = below.into_iter().flatten().fold(brand.done, |parents, done| done.after(parents));
    brand.put(&mut found.brands);
    model.into_iter().for_each(|model| model.put(&mut found.models));
    category.into_iter().for_each(|category| category.put(&mut found.categories));
    product.into_iter().for_each(|product| product.put(&mut found.products));
    Ok(done)
}

/// The new state of an entry, and how it differs from the old one.
struct MergedEntry<N> {
    node: N,
    done: Done,
}

impl Done {
    /// Returns the outcome of a row from the outcome of its entry (`self`) and of its parents.
    ///
    /// | entry | parents | row |
    /// |---|---|---|
    /// | inserted | any | inserted |
    /// | unchanged | unchanged | unchanged |
    /// | any other case | | updated |
    fn after(self, parents: Self) -> Self {
        match (self, parents) {
            (Self::Unchanged, Self::Unchanged) => Self::Unchanged,
            (Self::Inserted, _) => Self::Inserted,
            _ => Self::Updated,
        }
    }
}

impl<N: Node> MergedEntry<N> {
    fn put(self, entries: &mut Entries<N>) {
        if self.done != Done::Unchanged {
            entries.put(self.node);
        }
    }
}

/// Works out the new state of a brand, model or category. If there is none yet, `make` makes the document.
///
/// A new one needs a name and the URL of an image.
fn branch<L: Level>(
    entries: &Entries<BranchDoc<L>>,
    found: &FoundEntries,
    wish: &DesiredBranch,
    make: impl FnOnce(NewBranch) -> BranchDoc<L>,
) -> Result<MergedEntry<BranchDoc<L>>, String> {
    let DesiredBranch { level, own_code, code, name, image_url } = wish;
    if let Some(node) = entries.get(code) {
        let mut node = node.clone();
        let renamed = name.as_ref().filter(|name| **name != node.name);
        let is_new = renamed.is_some() || image_url.as_ref().is_some_and(|url| *url != node.image_url);
        if let Some(name) = renamed {
            node.name = name.clone();
        }
        show(&mut node, image_url.as_ref());
        return Ok(MergedEntry { node, done: if is_new { Done::Updated } else { Done::Unchanged } });
    }
    refuse_purged(found, code, *level)?;
    let field = |what: &str| format!("{}_{what}", level.word());
    let name = name.clone().ok_or_else(|| required(field("name")))?;
    let url = image_url.clone().ok_or_else(|| required(field("image_url")))?;
    let new = NewBranch { code: own_code.clone(), name, image: EntryImage { url, key: None } };
    Ok(MergedEntry { node: make(new), done: Done::Inserted })
}

/// Works out the new state of a product.
///
/// A new one needs a name, a description, a price, a stock and the URL of an image.
fn one_product(
    entries: &Entries<ProductDoc>,
    wish: &DesiredProduct,
    category: &BranchDoc<Category>,
    now: Timestamp,
) -> Result<MergedEntry<ProductDoc>, String> {
    let DesiredProduct { own_code, code, change, image_url } = wish;
    let (mut node, mut done) = match entries.get(code) {
        Some(node) => (node.clone(), Done::Unchanged),
        None => {
            let stock = change.stock.and_then(|stock| stock.pieces()).ok_or_else(|| required("stock"))?;
            let url = image_url.clone().ok_or_else(|| required("image_url"))?;
            let new = NewProduct {
                code: own_code.clone(),
                name: change.name.clone().ok_or_else(|| required("product_name"))?,
                description: change.description.clone().ok_or_else(|| required("description"))?,
                price: change.price.ok_or_else(|| required("price"))?,
                stock,
                image: EntryImage { url, key: None },
            };
            (new.below(ProductId::new(), category.id, &category.code, now), Done::Inserted)
        }
    };
    let before = (done == Done::Unchanged).then(|| node.clone());
    change.apply_to(&mut node).map_err(|refusal| refusal.to_string())?;
    show(&mut node, image_url.as_ref());
    if before.is_some_and(|before| differ(&before, &node)) {
        done = Done::Updated;
    }
    Ok(MergedEntry { node, done })
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

/// Shows another image, unless the entry shows this URL already.
///
/// In that case the key must stay as well: the URL may be the one of an image that the shop stores for this entry.
fn show<N: Node>(node: &mut N, url: Option<&ImageUrl>) {
    if let Some(url) = url
        && node.image_url() != url
    {
        node.show(url.clone(), None);
    }
}

/// Fails if the code belongs to a deleted branch whose products are still being removed.
fn refuse_purged(found: &FoundEntries, code: &FullCode, level: TreeLevel) -> Result<(), String> {
    if found.purged.contains(code) { Err(InsertError::CodeTaken(level).to_string()) } else { Ok(()) }
}

fn required(field: impl Into<std::borrow::Cow<'static, str>>) -> String {
    InvalidField::required(field).text
}
