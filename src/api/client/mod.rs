//! `/api/client/{user_id}/`: what belongs to one customer.

pub mod cart;
