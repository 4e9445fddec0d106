//! Tokens: access tokens (JWT), refresh tokens, the tokens of links in mails, and sealed ids in cookies.

pub mod access;
mod hs256;
pub mod link;
pub mod refresh;
pub mod sealed;
