//! Tokens: the short-lived access token (JWT), the refresh token of the cookie, and those of links in mails.

pub mod access;
mod hs256;
pub mod link;
pub mod refresh;
pub mod sealed;
