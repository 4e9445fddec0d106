//! Bodies of the calls that change catalogue entries, and the check of their rules.

use poem_openapi::{Object, types::Example};
use serde::Deserialize;

use super::{new_entries::image_source, offers::OffersIn};
use crate::{
    api::fields::{Decimal, Flag, Line, Lines},
    catalogue::{BranchChange, OfferChange, ProductChange, StockChange, TreeLevel, rules::entry},
    values::invalid::InvalidField,
};

/// Declares the bodies of the three levels above the products.
macro_rules! branch_bodies {
    ($($body:ident, $title:literal, $level:expr, $name:ident, $example:literal;)+) => {$(
        /// Changes of an entry. Fields that are left out stay as they are.
        #[derive(Debug, Object, Deserialize)]
        #[oai(rename = $title, example)]
        pub(super) struct $body {
            /// 2 to 120 printable characters, without `<` and `>`.
            $name: Option<Line>,
            /// URL that begins with `https://`, `http://` or `/media/`.
            image_url: Option<Line>,
        }

        impl $body {
            /// Checks the body and the image that was sent with it. An image takes precedence over `image_url`.
            pub(super) fn check(self, image: Option<Vec<u8>>) -> Result<BranchChange, InvalidField> {
                let name = self.$name.map(|name| entry::name($level, &name.0)).transpose()?;
                let change = BranchChange { name, image: image_source(image, self.image_url)? };
                if change.is_empty() { Err(nothing_valid()) } else { Ok(change) }
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
    product_name: Option<Line>,
    /// 1 to 5,000 characters.
    description: Option<Lines>,
    /// 0 to 10,000,000 with at most two decimals.
    price: Option<Decimal>,
    /// An integer from 0 to 1,000,000.
    stock: Option<Decimal>,
    /// Number of pieces to add to the stock, or to remove if negative. Excludes `stock`. Two changes at the same time
    /// both count.
    stock_delta: Option<Decimal>,
    /// New offer, which replaces the current one; `{}` removes it. In a form, the same object as JSON text.
    offers: Option<OffersIn>,
    /// Whether customers see the product.
    is_active: Option<Flag>,
    /// URL that begins with `https://`, `http://` or `/media/`.
    image_url: Option<Line>,
}

impl ProductChangeIn {
    /// Checks the body and the image that was sent with it. An image takes precedence over `image_url`.
    pub(super) fn check(self, image: Option<Vec<u8>>) -> Result<ProductChange, InvalidField> {
        let change = ProductChange {
            name: self.product_name.map(|name| entry::name(TreeLevel::Product, &name.0)).transpose()?,
            description: self.description.map(|text| entry::description(&text.0)).transpose()?,
            price: self.price.map(|price| entry::price(&price.0)).transpose()?,
            stock: stock_change(self.stock, self.stock_delta)?,
            offer: self.offers.map(OffersIn::check).transpose()?.map(OfferChange::from),
            is_active: self.is_active.map(|flag| flag.0),
            image: image_source(image, self.image_url)?,
        };
        if change.is_empty() { Err(nothing_valid()) } else { Ok(change) }
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

fn stock_change(stock: Option<Decimal>, delta: Option<Decimal>) -> Result<Option<StockChange>, InvalidField> {
    match (stock, delta) {
        (None, None) => Ok(None),
        (Some(stock), None) => Ok(Some(StockChange::To(entry::stock(&stock.0)?))),
        (None, Some(delta)) => {
            let delta = delta.0.parse().ok().filter(|delta: &i64| delta.unsigned_abs() <= 1_000_000);
            Ok(Some(StockChange::By(delta.ok_or_else(|| InvalidField::invalid("stock_delta"))?)))
        }
        (Some(_), Some(_)) => Err(InvalidField {
            field: "stock_delta".into(),
            text: "stock and stock_delta exclude each other".to_owned(),
        }),
    }
}

fn nothing_valid() -> InvalidField {
    InvalidField { field: "body".into(), text: "no valid fields to update".to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn fault(body: Value) -> String {
        let change = serde_json::from_value::<ProductChangeIn>(body).expect("fields").check(None);
        change.err().map_or_else(String::new, |invalid| invalid.text)
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
