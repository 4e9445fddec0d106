//! Integration tests: the real server over HTTP, on the real mongod, with a database of its own for each test.

mod access_table;
mod accounts;
mod admin;
mod admin_delete;
mod admin_images;
mod admin_update;
mod audits;
mod auth;
mod cart;
mod catalogue;
mod http;
mod invites;
mod limits;
mod mail;
mod openapi;
mod otp;
mod photo;
mod process;
mod profile;
mod proofs;
mod refresh;
mod reset;
mod sessions;
mod sms_service;
mod support;
