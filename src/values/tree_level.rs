//! The levels of the catalogue's tree.

/// A level of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TreeLevel {
    /// The first.
    Brand,
    /// The second.
    Model,
    /// The third.
    Category,
    /// The last.
    Product,
}

impl TreeLevel {
    /// From the top.
    pub const ALL: [TreeLevel; 4] = [Self::Brand, Self::Model, Self::Category, Self::Product];

    /// The level's name in a person's words and in field names.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Brand => "brand",
            Self::Model => "model",
            Self::Category => "category",
            Self::Product => "product",
        }
    }

    /// The level above; `None` at the top.
    pub const fn parent(self) -> Option<Self> {
        match self {
            Self::Brand => None,
            Self::Model => Some(Self::Brand),
            Self::Category => Some(Self::Model),
            Self::Product => Some(Self::Category),
        }
    }
}
