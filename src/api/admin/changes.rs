//! Bodies of the calls that change catalogue entries, and the check of their rules.

use bytes::Bytes;
use poem_openapi::{Object, types::Example};
use serde::Deserialize;

use super::{new_entries::image_source, offers::OffersIn};
use crate::{
    api::fields::{Decimal, Flag, Line, Lines, not_null},
    catalogue::{BranchChange, OfferChange, ProductChange, StockChange, TreeLevel, rules::entry},
    values::invalid::{Faults, InvalidField},
};

/// Declares the bodies of the three levels above the products.
macro_rules! branch_bodies {
    ($($body:ident, $title:literal, $level:expr, $name:ident, $example:literal;)+) => {$(
        /// Changes of an entry. Fields that are left out stay as they are.
        #[derive(Debug, Object, Deserialize)]
        #[oai(rename = $title, example)]
        pub(super) struct $body {
            /// 2 to 120 printable characters, without `<` and `>`.
            #[serde(default, deserialize_with = "not_null")]
            $name: Option<Line>,
            /// URL that begins with `https://`, `http://` or `/media/`.
            #[serde(default, deserialize_with = "not_null")]
            image_url: Option<Line>,
        }

        impl $body {
            /// Checks the body and the image that was sent with it. An image takes precedence over `image_url`.
            pub(super) fn check(self, image: Option<Bytes>, faults: &mut Faults) -> Option<BranchChange> {
                let name = faults.optional(stringify!($name), self.$name, |name| entry::name($level, &name.0));
                let change = BranchChange { name, image: image_source(image, self.image_url, faults) };
                something_valid(!change.is_empty(), faults);
                Some(change)
            }
        }

        impl Example for $body {
            fn example() -> Self {
                let line = |text: &str| Some(Line(text.to_owned()));
                Self { $name: line($example), image_url: line("https://images.example.com/b.webp") }
            }
        }
    )+};
}

branch_bodies! {
    BrandChangeIn, "BrandChange", TreeLevel::Brand, brand_name, "Tata Motors";
    ModelChangeIn, "ModelChange", TreeLevel::Model, model_name, "Nexon";
    CategoryChangeIn, "CategoryChange", TreeLevel::Category, category_name, "Brakes";
}

/// Changes of a product. Fields that are left out stay as they are.
#[derive(Debug, Object, Deserialize)]
#[oai(rename = "ProductChange", example)]
pub(super) struct ProductChangeIn {
    /// 2 to 120 printable characters, without `<` and `>`.
    #[serde(default, deserialize_with = "not_null")]
    product_name: Option<Line>,
    /// 1 to 5,000 characters.
    #[serde(default, deserialize_with = "not_null")]
    description: Option<Lines>,
    /// 0 to 10,000,000 with at most two decimals.
    #[serde(default, deserialize_with = "not_null")]
    price: Option<Decimal>,
    /// An integer from 0 to 1,000,000.
    #[serde(default, deserialize_with = "not_null")]
    stock: Option<Decimal>,
    /// Number of pieces to add to the stock, or to remove if negative. Excludes `stock`. Two changes at the same time
    /// both count.
    #[serde(default, deserialize_with = "not_null")]
    stock_delta: Option<Decimal>,
    /// New offer, which replaces the current one; `{}` removes it. In a form, the same object as JSON text.
    #[serde(default, deserialize_with = "not_null")]
    offers: Option<OffersIn>,
    /// Whether customers see the product.
    #[serde(default, deserialize_with = "not_null")]
    is_active: Option<Flag>,
    /// URL that begins with `https://`, `http://` or `/media/`.
    #[serde(default, deserialize_with = "not_null")]
    image_url: Option<Line>,
}

impl ProductChangeIn {
    /// Checks the body and the image that was sent with it. An image takes precedence over `image_url`.
    pub(super) fn check(self, image: Option<Bytes>, faults: &mut Faults) -> Option<ProductChange> {
        let level = TreeLevel::Product;
        let name = faults.optional("product_name", self.product_name, |name| entry::name(level, &name.0));
        let description = faults.optional("description", self.description, |text| entry::description(&text.0));
        let price = faults.optional("price", self.price, |price| entry::price(&price.0));
        let has_both_stocks = self.stock.is_some() && self.stock_delta.is_some();
        let stock = faults.optional("stock", self.stock, |stock| entry::stock(&stock.0).map(StockChange::To));
        let image = image_source(image, self.image_url, faults);
        let offer = faults.optional("offers", self.offers, |offers| offers.check().map(OfferChange::from));
        let is_active = faults.optional("is_active", self.is_active, |flag| Ok(flag.0));
        let delta = faults.optional("stock_delta", self.stock_delta, |delta| match has_both_stocks {
            true => Err(both_stocks()),
            false => stock_delta(&delta),
        });
        let change = ProductChange { name, description, price, stock: stock.or(delta), offer, is_active, image };
        something_valid(!change.is_empty(), faults);
        Some(change)
    }
}

impl Example for ProductChangeIn {
    fn example() -> Self {
        Self {
            product_name: None,
            description: Some(Lines("Ceramic pads for the front axle.".to_owned())),
            price: Some(Decimal("2299.5".to_owned())),
            stock: None,
            stock_delta: Some(Decimal("-3".to_owned())),
            offers: Some(OffersIn::example()),
            is_active: Some(Flag(true)),
            image_url: None,
        }
    }
}

fn stock_delta(delta: &Decimal) -> Result<StockChange, InvalidField> {
    let delta = delta.0.parse().ok().filter(|delta: &i64| delta.unsigned_abs() <= 1_000_000);
    delta.map(StockChange::By).ok_or_else(|| InvalidField::invalid("stock_delta"))
}

fn both_stocks() -> InvalidField {
    InvalidField { field: "stock_delta".into(), text: "stock and stock_delta exclude each other".to_owned() }
}

/// Adds the fault that nothing can be changed, if there is no other.
fn something_valid(is_something: bool, faults: &mut Faults) {
    if !is_something && faults.is_empty() {
        faults.add(InvalidField { field: "body".into(), text: "no valid fields to update".to_owned() });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn fault(body: Value) -> String {
        let mut faults = Faults::default();
        let change = serde_json::from_value::<ProductChangeIn>(body).expect("fields").check(None, &mut faults);
        faults.none_or(change).err().map_or_else(String::new, |faults| faults.to_string())
    }

    #[test]
    fn something_known_must_change() {
        assert_eq!(fault(json!({})), "no valid fields to update");
        assert_eq!(fault(json!({ "product_code": "X" })), "no valid fields to update");
        assert_eq!(fault(json!({ "is_active": "false" })), "");
        assert_eq!(fault(json!({ "image_url": "ftp://x" })), "invalid image_url");
    }

    #[test]
    fn stock_is_set_or_moved() {
        assert_eq!(fault(json!({ "stock": 3 })), "");
        assert_eq!(fault(json!({ "stock_delta": "-3" })), "");
        assert_eq!(fault(json!({ "stock": 3, "stock_delta": 1 })), "stock and stock_delta exclude each other");
        for bad in [json!(1.5), json!("x"), json!(1_000_001), json!(-9_000_000)] {
            assert_eq!(fault(json!({ "stock_delta": bad })), "invalid stock_delta", "{bad}");
        }
    }
}
