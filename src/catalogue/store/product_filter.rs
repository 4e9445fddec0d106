//! The conditions of staff as filters of the collection `products`.

use bson::{Bson, Document, doc};

use super::product_search::starting_with;
use crate::{
    catalogue::rules::{
        product_filter::ProductFilter,
        product_search::{code_prefix, words_of},
        search::SearchText,
    },
    values::{
        codes::Code,
        text::{literal, without_accents},
    },
};

/// Returns the filter for the products that meet all conditions; an empty one if there are no conditions.
pub(in crate::catalogue) fn matching(filter: &ProductFilter) -> Document {
    let conditions = conditions(filter);
    if conditions.is_empty() {
        doc! {}
    } else {
        doc! { "$and": conditions }
    }
}

/// Returns a condition for each part of the filter.
pub(in crate::catalogue) fn conditions(filter: &ProductFilter) -> Vec<Document> {
    let ProductFilter { text, brand, model, category, is_active, in_stock, stock_max, has_offer, updated_from } =
        filter;
    let mut conditions = Vec::new();
    conditions.extend(below(brand.as_ref(), model.as_ref(), category.as_ref()));
    conditions.extend(is_active.map(|is_active| doc! { "is_active": is_active }));
    conditions.extend(has_offer.map(|has_offer| doc! { "offer": { "$exists": has_offer } }));
    conditions.extend(in_stock.map(|in_stock| {
        let comparison = if in_stock { "$gt" } else { "$lte" };
        doc! { "stock": { comparison: 0_i64 } }
    }));
    conditions.extend(stock_max.map(|most| doc! { "stock": { "$lte": i64::from(most) } }));
    conditions.extend(updated_from.map(|from| doc! { "updated_at": { "$gte": from } }));
    conditions.extend(text.as_ref().map(found_by));
    conditions
}

/// Returns the condition for products of these branches; `None` without any.
fn below(brand: Option<&Code>, model: Option<&Code>, category: Option<&Code>) -> Option<Document> {
    if brand.is_none() && model.is_none() && category.is_none() {
        return None;
    }
    let part = |code: Option<&Code>| code.map_or_else(|| "[^-]+".to_owned(), ToString::to_string);
    // Codes of branches hold only letters and digits, so nothing in them has a special meaning in a regular expression.
    let pattern = format!("^{}-{}-{}$", part(brand), part(model), part(category));
    Some(doc! { "parent": { "$regex": pattern } })
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
