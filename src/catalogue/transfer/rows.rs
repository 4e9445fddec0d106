//! The columns of a file, and a row of texts.

use super::fault::Fault;
use crate::values::tree_level::TreeLevel;

/// The most bytes of a row. The descriptions of a product and its offer take less than half of it, even if every
/// character is escaped.
pub(super) const LONGEST_ROW: usize = 256 * 1024;

/// The kind of value that a column holds. In CSV all values are texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueKind {
    Text,
    /// A number with at most two decimals.
    Decimal,
    Integer,
    /// `true` or `false`.
    Flag,
}

macro_rules! columns {
    ($($name:ident = $text:literal, $level:ident, $kind:ident;)+) => {
        /// A column. The variants are in the order in which exports write them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Column { $($name),+ }

        impl Column {
            pub(super) const ALL: &[Self] = &[$(Self::$name),+];

            /// Returns the name of the column in a CSV header and as a JSON key.
            pub(super) const fn name(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }

            /// Returns the level of the entry that the column describes.
            pub(super) const fn level(self) -> TreeLevel {
                match self { $(Self::$name => TreeLevel::$level),+ }
            }

            pub(super) const fn kind(self) -> ValueKind {
                match self { $(Self::$name => ValueKind::$kind),+ }
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
    /// The columns that every CSV header must have.
    pub(super) const CODES: [Self; 4] = [Self::BrandCode, Self::ModelCode, Self::CategoryCode, Self::ProductCode];

    /// Returns the column for the own code of entries on a level.
    pub(super) const fn code_of(level: TreeLevel) -> Self {
        Self::CODES[level as usize]
    }

    /// Returns the column that a cell of a header means, in any case and with spaces or hyphens in place of `_`; `None`
    /// if there is none. A program may have added a byte order mark of its own to the one that the file had, or have
    /// read that one in the wrong encoding.
    pub(super) fn meant_by(text: &str) -> Option<Self> {
        let is_part = |c: &char| !c.is_whitespace() && !['_', '-', '\u{FEFF}'].contains(c);
        let letters = |text: &str| text.chars().filter(is_part).map(|c| c.to_ascii_lowercase()).collect::<String>();
        let wanted = letters(text.trim_start_matches("ï»¿"));
        Self::ALL.iter().copied().find(|column| letters(column.name()) == wanted)
    }

    /// Returns the column with a name; `None` if there is none.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|column| column.name() == name)
    }
}

/// A row of a file. A cell is `None` if the file does not have the column, and an empty text if the cell is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Row {
    cells: [Option<String>; COLUMNS],
    /// The cells behind the last column, or the whole line if it could not be read. A row that has any fails.
    pub(super) surplus: Vec<String>,
}

impl Row {
    /// Returns the row of a line that could not be read.
    pub(super) fn unread(line: &[u8]) -> Self {
        let text = String::from_utf8_lossy(line).trim().to_owned();
        Self { surplus: if text.is_empty() { Vec::new() } else { vec![text] }, ..Self::default() }
    }

    pub(super) fn get(&self, column: Column) -> Option<&str> {
        self.cells[column as usize].as_deref()
    }

    pub(super) fn set(&mut self, column: Column, text: impl Into<String>) {
        self.cells[column as usize] = Some(text.into());
    }

    /// Returns whether nothing of the row could be read.
    pub(super) fn is_empty(&self) -> bool {
        self.surplus.is_empty() && self.cells.iter().all(Option::is_none)
    }

    /// Returns how many bytes of memory the row takes.
    pub(super) fn size(&self) -> usize {
        let surplus = self.surplus.iter().map(|cell| size_of::<String>() + cell.len()).sum::<usize>();
        size_of::<Self>() + self.cells.iter().flatten().map(String::len).sum::<usize>() + surplus
    }
}

/// A row as it was read.
#[derive(Debug)]
pub(super) struct NumberedRow {
    /// The number of the line in which the row begins; the first line of the file is 1.
    pub(super) number: u64,
    pub(super) row: Row,
    /// Why the row could not be read. The row then holds what could be read of it.
    pub(super) fault: Option<Fault>,
}

/// What a parser found in the bytes it was given.
pub(super) enum Parsed {
    /// No row ends here. Parsing goes on with the next bytes.
    More,
    /// A row ends here.
    Row(Box<NumberedRow>),
    /// The file ends here.
    End,
}
