//! The lists in which staff see the whole catalogue, hidden products too, with the number of entries in each list.

use std::collections::{HashMap, HashSet};

use futures_util::try_join;

use super::{
    BelowCounts, BranchDoc, Brand, CatalogueError, Category, Model, ProductDoc, TreeLevel, Visibility, page_or_missing,
    rules::{
        names::Name,
        product_filter::ProductFilter,
        product_list::{ListOrder, ListPlace, Total},
    },
    store::{
        branches::{Branches, Level},
        products::ListedProduct,
    },
};
use crate::{
    app::App,
    db::StoreError,
    values::{
        codes::FullCode,
        ids::{BrandId, CategoryId, ModelId, ProductId},
        paging::{Page, Slice},
    },
};

/// A brand, model or category, and how many entries are below it.
#[derive(Debug)]
pub struct BranchRow<L: Level> {
    pub branch: BranchDoc<L>,
    pub children: BelowCounts,
}

/// The names of branches by their full codes.
pub type BranchNames = HashMap<FullCode, Name>;

/// Returns a page of the products that meet the conditions, and the number of all of them.
///
/// Each part of it comes from another query, so products that change at the same moment may be counted and not shown.
/// Fails with [`StoreError::OutOfTime`] if a query takes longer than two seconds.
pub async fn list_products(
    app: &App,
    filter: &ProductFilter,
    order: ListOrder,
    slice: &Slice<ListPlace>,
) -> Result<(Page<ListedProduct>, Total), StoreError> {
    let (found, total) = app.store.products.list(filter, order, slice.after.as_ref(), slice.probe()).await?;
    Ok((Page::of(found, slice.limit), total))
}

/// Returns a page of the products of a category in the order of their insertion, and the number of all of them.
///
/// Fails with [`CatalogueError::NotFound`] if the category or one of its parents does not exist.
pub async fn list_category(
    app: &App,
    category: &FullCode,
    slice: Slice<ProductId>,
) -> Result<(Page<ProductDoc>, Total), CatalogueError> {
    let products = &app.store.products;
    let (found, total) = try_join!(
        products.page(category, None, slice.after, slice.probe(), Visibility::ToStaff),
        products.total_of_category(category)
    )?;
    Ok((page_or_missing(app, category, found, slice.limit).await?, total))
}

/// Returns the names of the brands, models and categories of some products. Those that are just being deleted may be
/// missing.
pub async fn names_above<'a>(
    app: &App,
    products: impl Iterator<Item = &'a ProductDoc> + Send,
) -> Result<BranchNames, StoreError> {
    let codes: HashSet<FullCode> = products.flat_map(|product| product.code.parents()).collect();
    let of_level = |level| codes.iter().filter(move |code| code.level() == level).collect::<Vec<_>>();
    let store = &app.store;
    let (brands, models, categories) = try_join!(
        store.brands.names(of_level(TreeLevel::Brand)),
        store.models.names(of_level(TreeLevel::Model)),
        store.categories.names(of_level(TreeLevel::Category))
    )?;
    Ok([brands, models, categories].into_iter().flatten().collect())
}

/// Returns a page of the brands in the order of their insertion, and the number of all brands.
pub async fn list_brands(app: &App, slice: Slice<BrandId>) -> Result<(Page<BranchRow<Brand>>, u64), CatalogueError> {
    branch_rows(app, &app.store.brands, None, slice).await
}

/// Returns a page of the models of a brand in the order of their insertion, and the number of all of them.
///
/// Fails with [`CatalogueError::NotFound`] if the brand does not exist.
pub async fn list_models(
    app: &App,
    brand: &FullCode,
    slice: Slice<ModelId>,
) -> Result<(Page<BranchRow<Model>>, u64), CatalogueError> {
    branch_rows(app, &app.store.models, Some(brand), slice).await
}

/// Returns a page of the categories of a model in the order of their insertion, and the number of all of them.
///
/// Fails with [`CatalogueError::NotFound`] if the model or its brand does not exist.
pub async fn list_categories(
    app: &App,
    model: &FullCode,
    slice: Slice<CategoryId>,
) -> Result<(Page<BranchRow<Category>>, u64), CatalogueError> {
    branch_rows(app, &app.store.categories, Some(model), slice).await
}

async fn branch_rows<L: Level>(
    app: &App,
    branches: &Branches<L>,
    parent: Option<&FullCode>,
    slice: Slice<L::Id>,
) -> Result<(Page<BranchRow<L>>, u64), CatalogueError> {
    let page = branches.page(parent, None, slice.after, slice.probe());
    let (found, total) = try_join!(page, branches.count_children(parent))?;
    let Page { items, more } = match parent {
        Some(parent) => page_or_missing(app, parent, found, slice.limit).await?,
        None => Page::of(found, slice.limit),
    };
    let codes: Vec<FullCode> = items.iter().map(|branch| branch.code.clone()).collect();
    let mut counts = counts_below(app, L::LEVEL, &codes).await?.into_iter();
    let row = |branch| BranchRow { branch, children: counts.next().unwrap_or_default() };
    Ok((Page { items: items.into_iter().map(row).collect(), more }, total))
}

/// Counts the entries below each of the branches of one level. There is one query for each level below.
async fn counts_below(app: &App, level: TreeLevel, branches: &[FullCode]) -> Result<Vec<BelowCounts>, StoreError> {
    let have_models = if level == TreeLevel::Brand { branches } else { &[] };
    let have_categories = if level == TreeLevel::Category { &[] } else { branches };
    let store = &app.store;
    let (models, categories, products) = try_join!(
        store.models.count_below(have_models),
        store.categories.count_below(have_categories),
        store.products.count_below(branches)
    )?;
    let of = |counts: &HashMap<FullCode, u64>, branch: &FullCode| counts.get(branch).copied().unwrap_or_default();
    let all = branches.iter().map(|branch| BelowCounts {
        models: of(&models, branch),
        categories: of(&categories, branch),
        products: of(&products, branch),
    });
    Ok(all.collect())
}
