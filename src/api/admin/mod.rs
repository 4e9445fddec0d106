//! `/api/admin/`: the calls for staff and admins.

pub mod audits;
pub mod bulk;
mod bulk_request;
mod catalogue_file;
mod changes;
pub mod delete;
pub mod insert;
pub mod invites;
mod new_entries;
mod offers;
mod product_filter;
mod replies;
pub mod stats;
pub mod transfer;
pub mod update;
pub mod users;
mod users_out;
