//! The cart as it is stored inside an account.

use serde::{Deserialize, Serialize};

use super::{
    ids::{CartId, LineRev, ProductId},
    money::Money,
    quantity::Quantity,
    time::Timestamp,
};

/// Lines of one cart.
pub const MAX_LINES: i32 = 100;

/// The cart inside the account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CartDoc {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: CartId,
    /// At most 100 lines, the oldest first.
    pub items: Vec<CartLine>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// One product in a cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartLine {
    /// The product.
    pub product_id: ProductId,
    /// How many.
    pub quantity: Quantity,
    /// When it was first added.
    pub added_at: Timestamp,
    /// What a piece cost then; for display only.
    pub unit_price_at_add: Money,
    /// The line's state.
    pub rev: LineRev,
}
