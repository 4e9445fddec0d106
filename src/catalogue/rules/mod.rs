//! Pure rules of the catalogue: names, descriptions, offers and the text of a search.
pub mod entry;
pub mod names;
pub mod pricing;
pub mod product_search;
pub mod search;
