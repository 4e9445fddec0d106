//! `/api/admin/`: for staff and admins.

pub mod audits;
mod changes;
pub mod delete;
pub mod insert;
pub mod invites;
mod new_entries;
mod offers;
mod replies;
pub mod stats;
pub mod update;
pub mod users;
mod users_out;
