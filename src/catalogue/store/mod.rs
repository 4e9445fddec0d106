//! The collections `brands`, `models`, `categories` and `products`. The files read them, search them, write to the tree
//! that they form, and follow their changes.
mod below;
pub mod branches;
pub mod bulk_plans;
pub mod catalogue_changes;
pub mod product_filter;
pub mod product_list;
mod product_pictures;
pub mod product_search;
pub mod products;
pub mod search;
pub mod tree;

/// The name of the collection of products, for stores that read them.
pub(crate) use self::products::NAME as PRODUCTS;
