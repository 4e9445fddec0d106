//! `/api/request/`: what is proven by a token or a code.

pub mod number;
