//! How many pieces of a product: 1 to 999.

use serde::{Deserialize, Serialize};

/// Pieces of one product in a call or a cart line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Quantity(u32);

impl Quantity {
    /// One piece.
    pub const ONE: Quantity = Quantity(1);
    /// The most pieces that one cart line may hold.
    pub const MAX: u32 = 999;
    /// All pieces that a line can hold.
    pub const ALL: Quantity = Quantity(Self::MAX);

    /// `None` outside 1 to 999.
    pub fn new(pieces: i64) -> Option<Self> {
        u32::try_from(pieces).ok().filter(|n| (1..=Self::MAX).contains(n)).map(Self)
    }

    /// The number of pieces.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl From<Quantity> for bson::Bson {
    fn from(quantity: Quantity) -> Self {
        i64::from(quantity.0).into()
    }
}
