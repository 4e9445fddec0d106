//! Pure rules of accounts: usernames, passwords, codes, profiles, and which contacts count as proven.
pub mod contacts;
pub mod otp;
pub mod password;
pub mod profile;
pub mod username;
