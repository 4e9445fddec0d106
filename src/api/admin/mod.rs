//! `/api/admin/`: the calls for staff and admins.

pub mod audits;
mod audits_asked;
mod audits_out;
pub mod branch_lists;
pub mod bulk;
mod bulk_request;
mod catalogue_file;
mod changes;
pub mod delete;
mod entries_out;
pub mod insert;
pub mod invites;
mod new_entries;
mod offers;
mod product_filter;
pub mod product_images;
pub mod product_lists;
mod replies;
pub mod stats;
pub mod transfer;
pub mod update;
pub mod users;
mod users_asked;
mod users_out;
