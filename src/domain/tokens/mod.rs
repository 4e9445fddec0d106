//! Tokens: the short-lived access token (JWT) and the refresh token of the cookie.

pub mod access;
mod hs256;
pub mod keys;
pub mod refresh;
pub mod sealed;
