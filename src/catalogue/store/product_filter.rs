//! The conditions of staff as filters of the collection `products`.

use bson::{Bson, Document, doc};

use super::product_search::{parent_in, starting_with, stocked};
use crate::{
    catalogue::rules::{
        product_filter::ProductFilter,
        product_list::branch_key,
        product_search::{code_prefix, words_of},
        search::SearchText,
    },
    db::query::all_of,
    values::{
        codes::Code,
        text::{literal, without_accents},
        tree_level::TreeLevel,
    },
};

/// Returns the filter for the products that meet all conditions; an empty one if there are no conditions.
pub(in crate::catalogue) fn matching(filter: &ProductFilter) -> Document {
    all_of(conditions(filter))
}

/// Returns a condition for each part of the filter.
pub(super) fn conditions(filter: &ProductFilter) -> Vec<Document> {
    let ProductFilter { text, is_active, in_stock, stock_max, has_offer, updated_from, .. } = filter;
    let mut conditions = below(filter);
    conditions.extend(is_active.map(|is_active| doc! { "is_active": is_active }));
    conditions.extend(has_offer.map(|has_offer| doc! { "has_offer": has_offer }));
    conditions.extend(in_stock.map(stocked));
    conditions.extend(stock_max.map(|most| doc! { "stock": { "$lte": i64::from(most) } }));
    conditions.extend(updated_from.map(|from| doc! { "updated_at": { "$gte": from } }));
    conditions.extend(text.as_ref().map(found_by));
    conditions
}

/// Returns the index in which the products that meet a condition are side by side; `None` if the database must choose.
pub(super) fn index_of(filter: &ProductFilter) -> Option<&'static str> {
    match filter {
        filter if filter.is_empty() => Some("_id_"),
        ProductFilter { text: Some(_), .. } => None,
        filter if filter.branches().count() > 0 => Some("below_code"),
        ProductFilter { in_stock: Some(_), .. } | ProductFilter { stock_max: Some(_), .. } => Some("stock"),
        ProductFilter { updated_from: Some(_), .. } => Some("updated_at"),
        _ => Some("list_code"),
    }
}

/// Returns the filter for counting the products that meet all conditions in the index of [`index_of`].
pub(super) fn countable(filter: &ProductFilter) -> Document {
    if index_of(filter) != Some("list_code") || filter.is_active.is_some() {
        return matching(filter);
    }
    all_of([conditions(filter), vec![either_state()]].concat())
}

/// Returns conditions that every product meets, for `is_active` and `has_offer` unless they are conditions of the
/// filter. With them, each part of an index `list_*` is named.
pub(super) fn all_parts(filter: &ProductFilter) -> Vec<Document> {
    // Another program may have stored products without `has_offer`.
    let any_offer = || doc! { "has_offer": { "$in": [Bson::from(true), Bson::from(false), Bson::Null] } };
    let state = filter.is_active.is_none().then(either_state);
    state.into_iter().chain(filter.has_offer.is_none().then(any_offer)).collect()
}

fn either_state() -> Document {
    doc! { "is_active": { "$in": [true, false] } }
}

/// Returns the conditions for products of the branches.
///
/// The key of one branch is enough to find them in an index. With several branches, it is the key of the model or else
/// of the category, which have the fewest products, and the code of the category is compared as well.
fn below(filter: &ProductFilter) -> Vec<Document> {
    let by_key = |(level, code): (TreeLevel, &Code)| doc! { "branches": branch_key(level, code.as_str()) };
    let fewest = [(TreeLevel::Model, &filter.model), (TreeLevel::Category, &filter.category)];
    let fewest = fewest.into_iter().find_map(|(level, code)| Some((level, code.as_ref()?)));
    let mut conditions: Vec<Document> = fewest.or_else(|| filter.branches().next()).map(by_key).into_iter().collect();
    if filter.branches().count() > 1 {
        conditions.push(parent_in([&filter.brand, &filter.model, &filter.category]));
    }
    conditions
}

/// Returns the condition for products that are found by a text: by the beginning of a code, or by the beginnings of
/// words of the name.
fn found_by(text: &SearchText) -> Document {
    let prefix = code_prefix(text.as_str());
    let codes = prefix
        .iter()
        .flat_map(|prefix| [doc! { "code": starting_with(prefix) }, doc! { "own_code": starting_with(prefix) }]);
    let plain = without_accents(text.as_str());
    let words = words_of(&plain);
    let begins = |word: &&str| doc! { "words": { "$regex": format!("^{}", literal(word)) } };
    let name = match words.as_slice() {
        [] => None,
        [word] => Some(begins(word)),
        words => Some(doc! { "$and": words.iter().map(begins).collect::<Vec<_>>() }),
    };
    let ways: Vec<Document> = codes.chain(name).collect();
    if ways.is_empty() {
        // Nothing is left of the text, so it finds nothing.
        return doc! { "_id": { "$in": Vec::<Bson>::new() } };
    }
    doc! { "$or": ways }
}
