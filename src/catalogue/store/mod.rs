//! The collections `brands`, `models`, `categories` and `products`: reading them, searching them, writing to the tree
//! that they make up, and following their changes.
pub mod branches;
pub mod catalogue_changes;
pub mod product_search;
pub mod products;
pub mod search;
pub mod tree;
