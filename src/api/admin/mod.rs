//! `/api/admin/`: for staff and admins.

pub mod catalogue;
mod new_entries;
