//! `/api/request/`: what is proven by a link or a code.

mod bodies;
pub mod links;
pub mod number;
