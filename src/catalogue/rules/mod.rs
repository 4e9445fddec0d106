//! Pure rules of the catalogue: fields of entries, names, offers, pictures, conditions of staff, and texts to search for.
pub mod entry;
pub mod names;
pub mod pictures;
pub mod pricing;
pub mod product_filter;
pub mod product_list;
pub mod product_search;
pub mod search;
