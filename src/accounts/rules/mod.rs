//! The rules of accounts, without any I/O: usernames, passwords, codes, profiles, and which contacts may reset a
//! password.
pub mod contacts;
pub mod otp;
pub mod password;
pub mod profile;
pub mod username;
