//! The flows of the shop, in its own words; each touches the store, the clock or the hashing threads.

pub mod accounts;
pub mod address;
pub mod audits;
pub mod cart;
pub mod catalogue;
pub mod change_number;
pub mod email_proof;
pub mod forgot_password;
pub mod hashing;
pub mod images;
pub mod invitations;
pub mod limits;
pub mod links;
pub mod mail;
pub mod otp;
pub mod otp_registration;
pub mod photo;
pub mod profile;
pub mod redistribution;
pub mod registration;
pub mod reset;
pub mod sessions;
pub mod sign_in;
pub mod stats;
pub mod transfer;
pub mod users;
