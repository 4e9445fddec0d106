//! The columns of a file, and a row of texts.

use crate::values::tree_level::TreeLevel;

/// The longest row: a description and an offer's, with every character escaped, fit into half of it.
pub(super) const LONGEST_ROW: usize = 256 * 1024;

/// What kind of value a column holds; in CSV all are texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    /// A number with two decimals.
    Decimal,
    Integer,
    /// `true` or `false`.
    Flag,
}

macro_rules! columns {
    ($($name:ident = $text:literal, $level:ident, $kind:ident;)+) => {
        /// A column, in the order in which files have them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Column { $($name),+ }

        impl Column {
            pub(super) const ALL: &[Self] = &[$(Self::$name),+];

            /// Its name in headers and as a key.
            pub(super) const fn name(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }

            /// The level of the entry that it says something about.
            pub(super) const fn level(self) -> TreeLevel {
                match self { $(Self::$name => TreeLevel::$level),+ }
            }

            pub(super) const fn kind(self) -> Kind {
                match self { $(Self::$name => Kind::$kind),+ }
            }
        }
    };
}

columns! {
    BrandCode = "brand_code", Brand, Text;
    BrandName = "brand_name", Brand, Text;
    BrandImageUrl = "brand_image_url", Brand, Text;
    ModelCode = "model_code", Model, Text;
    ModelName = "model_name", Model, Text;
    ModelImageUrl = "model_image_url", Model, Text;
    CategoryCode = "category_code", Category, Text;
    CategoryName = "category_name", Category, Text;
    CategoryImageUrl = "category_image_url", Category, Text;
    ProductCode = "product_code", Product, Text;
    ProductName = "product_name", Product, Text;
    Description = "description", Product, Text;
    Price = "price", Product, Decimal;
    Stock = "stock", Product, Integer;
    ImageUrl = "image_url", Product, Text;
    OfferDiscount = "offer_discount", Product, Decimal;
    OfferFrom = "offer_from", Product, Integer;
    OfferTo = "offer_to", Product, Integer;
    OfferDescription = "offer_description", Product, Text;
    IsActive = "is_active", Product, Flag;
}

const COLUMNS: usize = Column::ALL.len();

impl Column {
    /// The columns that every header has.
    pub(super) const CODES: [Self; 4] = [Self::BrandCode, Self::ModelCode, Self::CategoryCode, Self::ProductCode];

    /// The column with a name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|column| column.name() == name)
    }
}

/// A row of a file: nothing where the file has no such column, and an empty text where it is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Row([Option<String>; COLUMNS]);

impl Row {
    pub(super) fn get(&self, column: Column) -> Option<&str> {
        self.0[column as usize].as_deref()
    }

    pub(super) fn set(&mut self, column: Column, text: impl Into<String>) {
        self.0[column as usize] = Some(text.into());
    }

    /// Bytes that it takes.
    pub(super) fn size(&self) -> usize {
        size_of::<Self>() + self.0.iter().flatten().map(String::len).sum::<usize>()
    }
}

/// A row, or what is wrong with it.
#[derive(Debug)]
pub(super) struct Line {
    /// Where it begins in the file; the first line is 1.
    pub(super) number: u64,
    pub(super) row: Result<Row, String>,
}

/// What a parser makes of the bytes it is given.
pub(super) enum Parsed {
    /// All of them were used, and the row goes on.
    More,
    /// A row ends.
    Row(Box<Line>),
    /// There is nothing more.
    End,
}
