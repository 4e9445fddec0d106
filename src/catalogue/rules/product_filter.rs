//! The conditions by which staff choose products of the whole catalogue, to list them or to change them together.

use super::{entry, search::SearchText};
use crate::values::{
    codes::Code,
    invalid::{Faults, InvalidField, InvalidFields},
    time::Timestamp,
    tree_level::TreeLevel,
};

/// Conditions that a product must all meet. A condition that is `None` is met by every product, hidden ones too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProductFilter {
    /// Its full code or its own code begins with this text, or each word of the text is the beginning of a word of its
    /// name. Case and accents make no difference.
    pub text: Option<SearchText>,
    /// It belongs to the brand with this code.
    pub brand: Option<Code>,
    /// Its model has this own code, whatever the brand.
    pub model: Option<Code>,
    /// Its category has this own code, whatever the model.
    pub category: Option<Code>,
    /// Whether customers can see it.
    pub is_active: Option<bool>,
    /// Whether there is at least one piece in stock.
    pub in_stock: Option<bool>,
    /// The most pieces in stock.
    pub stock_max: Option<u32>,
    /// Whether it has an offer: one that runs, is over or is still to begin.
    pub has_offer: Option<bool>,
    /// It was changed at this time or later.
    pub updated_from: Option<Timestamp>,
}

impl ProductFilter {
    /// Returns whether there is no condition, so that every product is chosen.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the branches to which a product must belong: the level and the own code of each.
    pub fn branches(&self) -> impl Iterator<Item = (TreeLevel, &Code)> {
        let codes = [&self.brand, &self.model, &self.category];
        TreeLevel::ALL.into_iter().zip(codes).filter_map(|(level, code)| Some((level, code.as_ref()?)))
    }
}

/// The conditions as texts, before they are checked; `None` for those that were left out. Fields have the names that
/// callers use.
#[derive(Debug, Clone, Default)]
pub struct ProductFilterTexts {
    pub q: Option<String>,
    pub brand: Option<String>,
    pub model: Option<String>,
    pub category: Option<String>,
    /// `true` or `false`.
    pub is_active: Option<String>,
    /// `true` or `false`.
    pub in_stock: Option<String>,
    /// A whole number.
    pub stock_max: Option<String>,
    /// `true` or `false`.
    pub has_offer: Option<String>,
    /// RFC 3339, a date such as `2024-11-30` (its beginning in UTC), or whole Unix seconds.
    pub updated_from: Option<String>,
}

impl ProductFilterTexts {
    /// Checks all texts. An empty text is refused: it would choose every product. Fails with all faults at once.
    #[allow(dead_code, reason = "for bodies that hold nothing but a filter; lists have more parameters")]
    pub fn check(&self) -> Result<ProductFilter, InvalidFields> {
        let mut faults = Faults::default();
        let filter = self.checked(&mut faults);
        faults.none_or(filter)
    }

    /// Works like [`ProductFilterTexts::check`], and adds the faults to those that were found before. Conditions at
    /// fault are left out of the filter.
    pub fn checked(&self, faults: &mut Faults) -> ProductFilter {
        ProductFilter {
            text: faults.sort_out(self.q.as_deref().map(|q| SearchText::parse(Some(q)))),
            brand: faults.sort_out(read("brand", self.brand.as_deref(), code)),
            model: faults.sort_out(read("model", self.model.as_deref(), code)),
            category: faults.sort_out(read("category", self.category.as_deref(), code)),
            is_active: faults.sort_out(read("is_active", self.is_active.as_deref(), flag)),
            in_stock: faults.sort_out(read("in_stock", self.in_stock.as_deref(), flag)),
            stock_max: faults.sort_out(read("stock_max", self.stock_max.as_deref(), pieces)),
            has_offer: faults.sort_out(read("has_offer", self.has_offer.as_deref(), flag)),
            updated_from: faults.sort_out(read("updated_from", self.updated_from.as_deref(), time)),
        }
    }
}

/// Reads a condition that may be left out. The error of `reader` ends the sentence that begins with the name of the
/// condition and "must be".
pub fn read<T>(
    name: &'static str,
    text: Option<&str>,
    reader: impl Fn(&str) -> Result<T, &'static str>,
) -> Option<Result<T, InvalidField>> {
    let refused = |why| InvalidField { field: name.into(), text: format!("{name} must be {why}") };
    Some(reader(text?.trim()).map_err(refused))
}

/// Reads the code of a brand, model or category.
pub fn code(text: &str) -> Result<Code, &'static str> {
    Code::parse(text).map_err(|_| "a code of 2 to 10 letters and digits")
}

/// Reads `true` or `false`.
pub fn flag(text: &str) -> Result<bool, &'static str> {
    text.parse().map_err(|_| "true or false")
}

fn pieces(text: &str) -> Result<u32, &'static str> {
    entry::stock(text).map_err(|_| "a whole number from 0 to 1000000")
}

fn time(text: &str) -> Result<Timestamp, &'static str> {
    Timestamp::parse_from_query(text).map_err(|_| "RFC 3339, YYYY-MM-DD or Unix seconds")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(name: &str, text: &str) -> ProductFilterTexts {
        let mut texts = ProductFilterTexts::default();
        let place = match name {
            "q" => &mut texts.q,
            "brand" => &mut texts.brand,
            "model" => &mut texts.model,
            "category" => &mut texts.category,
            "is_active" => &mut texts.is_active,
            "in_stock" => &mut texts.in_stock,
            "stock_max" => &mut texts.stock_max,
            "has_offer" => &mut texts.has_offer,
            _ => &mut texts.updated_from,
        };
        *place = Some(text.to_owned());
        texts
    }

    #[test]
    fn conditions_are_read_as_people_type_them() {
        for (name, text) in [
            ("q", " Citroën "),
            ("brand", "tata"),
            ("stock_max", " 0 "),
            ("stock_max", "1000000"),
            ("has_offer", "false"),
            ("updated_from", "2024-02-29"),
            ("updated_from", "2024-11-30T10:00:00+05:30"),
            ("updated_from", "2024-11-30T10:00:00 05:30"),
            ("updated_from", "1732900000"),
        ] {
            let filter = texts(name, text).check().unwrap_or_else(|faults| panic!("{name}={text}: {faults:?}"));
            assert!(!filter.is_empty(), "{name}={text}");
        }
        assert_eq!(
            texts("updated_from", "2024-11-30").check().ok().and_then(|filter| filter.updated_from),
            "2024-11-30T00:00:00Z".parse().ok()
        );
        assert!(ProductFilterTexts::default().check().is_ok_and(|filter| filter.is_empty()));
    }

    #[test]
    fn each_fault_is_named() {
        for (name, text) in [
            ("q", ""),
            ("brand", "T"),
            ("model", "A-B"),
            ("category", ""),
            ("is_active", "yes"),
            ("in_stock", "1"),
            ("stock_max", "-1"),
            ("stock_max", "1000001"),
            ("stock_max", "1.0"),
            ("has_offer", ""),
            ("updated_from", "2023-02-29"),
            ("updated_from", "30-11-2024"),
            ("updated_from", "yesterday"),
            ("updated_from", "2024-11-30 10"),
        ] {
            let faults = texts(name, text).check().expect_err(text);
            assert_eq!(faults.iter().map(|fault| fault.field.as_ref()).collect::<Vec<_>>(), [name], "{text}");
        }
        let all =
            ProductFilterTexts { brand: Some("?".to_owned()), stock_max: Some("many".to_owned()), ..texts("q", " ") };
        let faults = all.check().expect_err("three faults");
        assert_eq!(faults.iter().map(|fault| fault.field.as_ref()).collect::<Vec<_>>(), ["q", "brand", "stock_max"]);
    }
}
