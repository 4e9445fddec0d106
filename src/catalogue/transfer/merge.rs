//! What rows make of the entries that are there. A row counts as a whole: one that breaks a rule changes nothing.

use super::{
    check::{Wanted, WantedBranch, WantedProduct},
    said::Said,
};
use crate::{
    catalogue::{
        EntryImage, InsertError, NewBranch, NewProduct,
        store::{
            branches::{BranchDoc, Category, Level},
            products::ProductDoc,
            tree::{Codes, Entries, Found, Node},
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

/// A checked row and the line where it begins.
#[derive(Debug, Clone)]
pub(super) struct WantedLine {
    pub(super) number: u64,
    pub(super) wanted: Wanted,
}

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    /// Its entry is new.
    Inserted,
    /// It changed its entry or a parent.
    Updated,
    /// All was like this already.
    Unchanged,
}

/// What became of some rows.
#[derive(Debug, Default)]
pub(super) struct Merged {
    /// By line.
    pub(super) lines: Vec<(u64, Result<Done, String>)>,
    /// What they said about parents.
    pub(super) said: Said,
}

/// The entries that rows name.
pub(super) fn codes(lines: &[WantedLine]) -> Codes {
    let mut codes = Codes::default();
    for Wanted { branches, product } in lines.iter().map(|line| &line.wanted) {
        let levels = [&mut codes.brands, &mut codes.models, &mut codes.categories];
        for (level, branch) in levels.into_iter().zip(branches) {
            level.insert(branch.code.clone());
        }
        codes.products.extend(product.iter().map(|product| product.code.clone()));
    }
    codes
}

/// Brings entries into the states that rows want, one row after the other.
pub(super) fn merge(found: &mut Found, lines: &[WantedLine], said: &Said, now: Timestamp) -> Merged {
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

/// Works out all parts of a row before the first of them counts.
fn apply(found: &mut Found, wanted: &Wanted, now: Timestamp) -> Result<Done, String> {
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
        (Some(Made { node: model, .. }), Some(wish)) => {
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

/// An entry as a row wants it.
struct Made<N> {
    node: N,
    done: Done,
}

impl Done {
    /// What became of a row whose entry this is, when that became of its parents.
    fn after(self, parents: Self) -> Self {
        match (self, parents) {
            (Self::Unchanged, Self::Unchanged) => Self::Unchanged,
            (Self::Inserted, _) => Self::Inserted,
            _ => Self::Updated,
        }
    }
}

impl<N: Node> Made<N> {
    fn put(self, entries: &mut Entries<N>) {
        if self.done != Done::Unchanged {
            entries.put(self.node);
        }
    }
}

fn branch<L: Level>(
    entries: &Entries<BranchDoc<L>>,
    found: &Found,
    wish: &WantedBranch,
    make: impl FnOnce(NewBranch) -> BranchDoc<L>,
) -> Result<Made<BranchDoc<L>>, String> {
    let WantedBranch { level, own_code, code, name, image_url } = wish;
    if let Some(node) = entries.get(code) {
        let mut node = node.clone();
        let renamed = name.as_ref().filter(|name| **name != node.name);
        let is_new = renamed.is_some() || image_url.as_ref().is_some_and(|url| *url != node.image_url);
        if let Some(name) = renamed {
            node.name = name.clone();
        }
        show(&mut node, image_url.as_ref());
        return Ok(Made { node, done: if is_new { Done::Updated } else { Done::Unchanged } });
    }
    refuse_purged(found, code, *level)?;
    let field = |what: &str| format!("{}_{what}", level.word());
    let name = name.clone().ok_or_else(|| required(field("name")))?;
    let url = image_url.clone().ok_or_else(|| required(field("image_url")))?;
    let new = NewBranch { code: own_code.clone(), name, image: EntryImage { url, key: None } };
    Ok(Made { node: make(new), done: Done::Inserted })
}

fn one_product(
    entries: &Entries<ProductDoc>,
    wish: &WantedProduct,
    category: &BranchDoc<Category>,
    now: Timestamp,
) -> Result<Made<ProductDoc>, String> {
    let WantedProduct { own_code, code, change, image_url } = wish;
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
    Ok(Made { node, done })
}

/// Whether a row has changed anything about a product.
fn differ(before: &ProductDoc, after: &ProductDoc) -> bool {
    before.name != after.name
        || before.description != after.description
        || before.price != after.price
        || before.stock != after.stock
        || before.offer != after.offer
        || before.is_active != after.is_active
        || before.image_url != after.image_url
}

/// The URL that is shown already changes nothing: the shop goes on keeping the image behind it.
fn show<N: Node>(node: &mut N, url: Option<&ImageUrl>) {
    if let Some(url) = url
        && node.image_url() != url
    {
        node.show(url.clone(), None);
    }
}

fn refuse_purged(found: &Found, code: &FullCode, level: TreeLevel) -> Result<(), String> {
    if found.purged.contains(code) { Err(InsertError::CodeTaken(level).to_string()) } else { Ok(()) }
}

fn required(field: impl Into<std::borrow::Cow<'static, str>>) -> String {
    InvalidField::required(field).text
}
