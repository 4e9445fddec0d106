//! `/api/admin/`: for staff and admins.

pub mod catalogue;
pub mod invites;
mod new_entries;
