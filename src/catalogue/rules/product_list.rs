//! The list of all products for staff: its orders, the places in it, and the keys that are stored with a product for it.

use crate::values::{
    codes::FullCode,
    ids::{InvalidId, ProductId},
    tree_level::TreeLevel,
};

/// The field by which the list is sorted. The id decides between products with equal values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListSort {
    /// The full code.
    Code,
    /// The name, without differences of case and accents.
    Name,
    /// The price before any offer.
    Price,
    /// The number of pieces in stock.
    Stock,
    /// The time of the last change.
    UpdatedAt,
}

/// The order of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListOrder {
    /// The field by which it is sorted.
    pub by: ListSort,
    /// Whether the greatest value comes first.
    pub is_descending: bool,
}

impl ListOrder {
    /// The order in which the list is shown to a caller who names none: by code, which is the order of the tree.
    pub const USUAL: Self = Self { by: ListSort::Code, is_descending: false };

    /// Returns the order with this name in the API; `None` if there is no such name. A `-` in front means that the
    /// greatest value comes first.
    pub fn named(word: &str) -> Option<Self> {
        let (is_descending, field) = word.strip_prefix('-').map_or((false, word), |field| (true, field));
        let by = match field {
            "code" => ListSort::Code,
            "name" => ListSort::Name,
            "price" => ListSort::Price,
            "stock" => ListSort::Stock,
            "updated_at" => ListSort::UpdatedAt,
            _ => return None,
        };
        Some(Self { by, is_descending })
    }
}

/// The value of a product by which a list is sorted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SortValue {
    /// A code or the key of a name.
    Text(String),
    /// A price in minor units, a number of pieces, or a time in milliseconds since 1970.
    Number(i64),
}

/// The place of a product in a list. A cursor holds the place of the last product of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPlace {
    /// The value by which the list is sorted.
    pub value: SortValue,
    /// The id of the product, which decides between equal values.
    pub id: ProductId,
}

impl ListPlace {
    /// Returns the place as a cursor holds it: the id (12 bytes), the kind of the value (1 byte), then the value.
    pub fn bytes(&self) -> Vec<u8> {
        match &self.value {
            SortValue::Text(text) => [&self.id.bytes()[..], b"t", text.as_bytes()].concat(),
            SortValue::Number(number) => [&self.id.bytes()[..], b"n", &number.to_be_bytes()].concat(),
        }
    }
}

impl TryFrom<Vec<u8>> for ListPlace {
    type Error = InvalidId;

    fn try_from(bytes: Vec<u8>) -> Result<Self, InvalidId> {
        let (id, rest) = bytes.split_first_chunk::<12>().ok_or(InvalidId)?;
        let value = match rest.split_first() {
            Some((b't', text)) => SortValue::Text(String::from_utf8(text.to_vec()).map_err(|_| InvalidId)?),
            Some((b'n', number)) => SortValue::Number(i64::from_be_bytes(number.try_into().map_err(|_| InvalidId)?)),
            _ => return Err(InvalidId),
        };
        Ok(Self { value, id: (*id).into() })
    }
}

/// The number of products in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Total {
    /// The exact number, at most [`Total::MOST`].
    pub count: u64,
    /// Whether there are more.
    pub is_capped: bool,
}

impl Total {
    /// The greatest number that is told. Counting more would take the database too long at each page.
    pub const MOST: u64 = 10_000;

    /// Makes the number from a count that stopped after one more than [`Total::MOST`].
    pub fn of(count: u64) -> Self {
        Self { count: count.min(Self::MOST), is_capped: count > Self::MOST }
    }

    /// Returns whether there are at most `limit` products, which must be less than [`Total::MOST`].
    pub fn is_at_most(self, limit: u64) -> bool {
        self.count <= limit
    }
}

/// Returns the key by which products of a brand, of models or of categories are found: the level and the entry's own
/// code.
pub fn branch_key(level: TreeLevel, own_code: &str) -> String {
    format!("{}:{own_code}", level.word())
}

/// Returns the keys of the branches above the product with this full code: of its brand, its model and its category.
pub fn branch_keys(product: &FullCode) -> Vec<String> {
    let own_codes = product.as_str().splitn(TreeLevel::ALL.len(), '-');
    TreeLevel::ALL[..3].iter().zip(own_codes).map(|(level, own_code)| branch_key(*level, own_code)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn orders_have_names() {
        let descending = ListOrder { by: ListSort::UpdatedAt, is_descending: true };
        assert_eq!(ListOrder::named("-updated_at"), Some(descending));
        assert_eq!(ListOrder::named("code"), Some(ListOrder::USUAL));
        for bad in ["", "-", "--code", "Code", "code ", "unit_price", "-newest"] {
            assert_eq!(ListOrder::named(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_total_is_exact_up_to_10_000() {
        assert_eq!(Total::of(10_000), Total { count: 10_000, is_capped: false });
        assert_eq!(Total::of(10_001), Total { count: 10_000, is_capped: true });
        assert!(Total::of(5).is_at_most(5) && !Total::of(6).is_at_most(5));
    }

    #[test]
    fn a_product_has_the_keys_of_its_branches() {
        let code = FullCode::read("TATA-NEXON-BRK-04465-0K090");
        assert_eq!(branch_keys(&code), ["brand:TATA", "model:NEXON", "category:BRK"]);
    }

    proptest! {
        #[test]
        fn a_place_is_what_its_bytes_say(id: [u8; 12], number: i64, text in ".{0,60}") {
            for value in [SortValue::Number(number), SortValue::Text(text)] {
                let place = ListPlace { value, id: id.into() };
                prop_assert_eq!(ListPlace::try_from(place.bytes()), Ok(place));
            }
        }

        #[test]
        fn what_is_no_place_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(place) = ListPlace::try_from(bytes.clone()) {
                prop_assert_eq!(place.bytes(), bytes);
            }
        }
    }
}
