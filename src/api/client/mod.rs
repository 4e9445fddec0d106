//! `/api/client/{user_id}/`: what belongs to one customer.

pub mod address;
pub mod cart;
mod cart_out;
