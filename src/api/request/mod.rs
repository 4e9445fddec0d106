//! `/api/request/`: proofs by links in mails and by codes in text messages.

mod bodies;
pub mod links;
pub mod number;
