//! Quantities of a product: 1 to 999 pieces.

use serde::{Deserialize, Serialize};

/// A number of pieces of one product, from 1 to 999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Quantity(u32);

impl Quantity {
    /// One piece.
    pub const ONE: Quantity = Quantity(1);
    /// The most pieces that one cart line may hold.
    pub const MAX: u32 = 999;
    /// The quantity of a full cart line. Removing this many pieces empties every line.
    pub const ALL: Quantity = Quantity(Self::MAX);

    /// Checks a number of pieces; returns `None` outside 1 to 999.
    pub fn new(pieces: i64) -> Option<Self> {
        u32::try_from(pieces).ok().filter(|n| (1..=Self::MAX).contains(n)).map(Self)
    }

    /// Returns the number of pieces.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl From<Quantity> for bson::Bson {
    fn from(quantity: Quantity) -> Self {
        i64::from(quantity.0).into()
    }
}
