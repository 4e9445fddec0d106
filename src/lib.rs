//! The backend of myspares, in reading order.
pub mod config;
mod domain;
pub mod integrations;
