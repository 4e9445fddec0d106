//! Carts as they are stored inside accounts.

use serde::{Deserialize, Serialize};

use super::{
    ids::{CartId, LineRev, ProductId},
    money::Money,
    quantity::Quantity,
    time::Timestamp,
};

/// The most lines of visible products with which a cart still takes a new line.
pub const MAX_LINES: i32 = 100;
/// The most lines that one cart may have in all, those of hidden products included.
pub const MAX_STORED_LINES: i32 = 200;

/// The cart of an account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CartDoc {
    /// Id of the cart.
    #[serde(rename = "_id")]
    pub id: CartId,
    /// The lines, at most [`MAX_STORED_LINES`], the oldest first.
    pub items: Vec<CartLine>,
    /// Time at which the cart was created.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub updated_at: Timestamp,
}

/// One product in a cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartLine {
    /// Id of the product.
    pub product_id: ProductId,
    /// Number of pieces.
    pub quantity: Quantity,
    /// Time at which the product was first added.
    pub added_at: Timestamp,
    /// Price of a piece when it was added. It is only shown; the cart is priced with the product's present price.
    pub unit_price_at_add: Money,
    /// The line's present state.
    pub rev: LineRev,
}
