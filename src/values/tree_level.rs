//! The levels of the catalogue's tree: brand, model, category, product.

/// A level of the catalogue's tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TreeLevel {
    /// The top level.
    Brand,
    /// Models of a brand.
    Model,
    /// Categories of parts for a model.
    Category,
    /// Products of a category.
    Product,
}

impl TreeLevel {
    /// All levels, from the top down.
    pub const ALL: [TreeLevel; 4] = [Self::Brand, Self::Model, Self::Category, Self::Product];

    /// Returns the level's name as messages and field names contain it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Brand => "brand",
            Self::Model => "model",
            Self::Category => "category",
            Self::Product => "product",
        }
    }

    /// Returns the level above; `None` for the top level.
    pub const fn parent(self) -> Option<Self> {
        match self {
            Self::Brand => None,
            Self::Model => Some(Self::Brand),
            Self::Category => Some(Self::Model),
            Self::Product => Some(Self::Category),
        }
    }
}
