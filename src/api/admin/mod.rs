//! `/api/admin/`: for staff and admins.

pub mod audits;
mod changes;
pub mod delete;
pub mod insert;
pub mod invites;
mod new_entries;
mod offers;
pub mod update;
