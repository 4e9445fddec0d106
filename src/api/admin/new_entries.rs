//! Bodies of the calls that insert catalogue entries, and the check of their rules.

use bytes::Bytes;
use poem_openapi::{Object, types::Example};
use serde::Deserialize;

use crate::{
    api::fields::{Decimal, Line, Lines},
    catalogue::{ImageSource, NewBranch, NewProduct, TreeLevel, rules::entry},
    values::invalid::Faults,
};

/// Declares the bodies of the three levels above the products.
macro_rules! branch_bodies {
    ($($body:ident, $title:literal, $level:expr, $name:ident, $code:ident, $example:expr;)+) => {$(
        /// A new entry of the catalogue.
        #[derive(Debug, Object, Deserialize)]
        #[oai(rename = $title, example)]
        pub(super) struct $body {
            /// 2 to 120 printable characters, without `<` and `>`.
            $name: Option<Line>,
            /// 2 to 10 of `A-Z0-9`, in any case. A code can't be changed later.
            $code: Option<Line>,
            /// URL that begins with `https://`, `http://` or `/media/`.
            image_url: Option<Line>,
        }

        impl $body {
            /// Checks the body and the image that was sent with it. An image takes precedence over `image_url`.
            pub(super) fn check(
                self,
                image: Option<Bytes>,
                faults: &mut Faults,
            ) -> Option<NewBranch<ImageSource>> {
                let name = faults.required(stringify!($name), text(self.$name), |text| entry::name($level, text));
                let code = faults.required(stringify!($code), text(self.$code), |text| entry::code($level, text));
                let image = required_image(image, self.image_url, faults);
                Some(NewBranch { name: name?, code: code?, image: image? })
            }
        }

        impl Example for $body {
            fn example() -> Self {
                let (name, code): (&str, &str) = $example;
                let line = |text: &str| Some(Line(text.to_owned()));
                Self { $name: line(name), $code: line(code), image_url: line("https://images.example.com/a.webp") }
            }
        }
    )+};
}

branch_bodies! {
    BrandIn, "NewBrand", TreeLevel::Brand, brand_name, brand_code, ("Tata Motors", "TATA");
    ModelIn, "NewModel", TreeLevel::Model, model_name, model_code, ("Nexon", "NEXON");
    CategoryIn, "NewCategory", TreeLevel::Category, category_name, category_code, ("Brakes", "BRK");
}

/// A new product.
#[derive(Debug, Object, Deserialize)]
#[oai(rename = "NewProduct", example)]
pub(super) struct ProductIn {
    /// 2 to 120 printable characters, without `<` and `>`.
    product_name: Option<Line>,
    /// 1 to 40 of `A-Z0-9` with single `-` or `.` between them, in any case. A code can't be changed later.
    product_code: Option<Line>,
    /// 1 to 5,000 characters.
    description: Option<Lines>,
    /// 0 to 10,000,000 with at most two decimals.
    price: Option<Decimal>,
    /// An integer from 0 to 1,000,000.
    stock: Option<Decimal>,
    /// URL that begins with `https://`, `http://` or `/media/`.
    image_url: Option<Line>,
}

impl ProductIn {
    /// Checks the body and the image that was sent with it. An image takes precedence over `image_url`.
    pub(super) fn check(self, image: Option<Bytes>, faults: &mut Faults) -> Option<NewProduct<ImageSource>> {
        let level = TreeLevel::Product;
        let name = faults.required("product_name", text(self.product_name), |text| entry::name(level, text));
        let code = faults.required("product_code", text(self.product_code), |text| entry::code(level, text));
        let description = self.description.map(|lines| lines.0);
        let description = faults.required("description", description, entry::description);
        let price = faults.required("price", self.price.map(|decimal| decimal.0), entry::price);
        let stock = faults.required("stock", self.stock.map(|decimal| decimal.0), entry::stock);
        let image = required_image(image, self.image_url, faults);
        Some(NewProduct {
            name: name?,
            code: code?,
            description: description?,
            price: price?,
            stock: stock?,
            image: image?,
        })
    }
}

impl Example for ProductIn {
    fn example() -> Self {
        let line = |text: &str| Some(Line(text.to_owned()));
        Self {
            product_name: line("Front brake pad set"),
            product_code: line("PADF"),
            description: Some(Lines("Ceramic pads for the front axle, with wear indicator.".to_owned())),
            price: Some(Decimal("2499".to_owned())),
            stock: Some(Decimal("40".to_owned())),
            image_url: line("https://images.example.com/brake-pad.webp"),
        }
    }
}

/// Returns where the image comes from: the file that was sent or, without one, the URL. Returns `None` if there is
/// neither, or if the URL is at fault.
pub(super) fn image_source(sent: Option<Bytes>, url: Option<Line>, faults: &mut Faults) -> Option<ImageSource> {
    if faults.reserve_for_image() {
        return None;
    }
    if let Some(bytes) = sent {
        return Some(ImageSource::Upload(bytes));
    }
    faults.optional("image_url", url, |url| entry::image_url("image_url", &url.0)).map(ImageSource::Url)
}

/// Works like [`image_source`], and adds the fault that there is neither.
pub(super) fn required_image(sent: Option<Bytes>, url: Option<Line>, faults: &mut Faults) -> Option<ImageSource> {
    if sent.is_none() && url.is_none() && !faults.is_unreadable(&["image", "image_url"]) {
        faults.add_missing("image");
        return None;
    }
    image_source(sent, url, faults)
}

fn text(line: Option<Line>) -> Option<String> {
    line.map(|line| line.0)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn fault(change: Value) -> String {
        let mut body = json!({ "product_name": "Pad", "product_code": "P1", "description": "A pad", "price": 1.5,
            "stock": 3, "image_url": "/media/p.png" });
        body.as_object_mut().expect("an object").extend(change.as_object().expect("an object").clone());
        let mut faults = Faults::default();
        let checked = serde_json::from_value::<ProductIn>(body).expect("fields").check(None, &mut faults);
        faults.none_or(checked).err().map_or_else(String::new, |faults| faults.to_string())
    }

    #[test]
    fn each_product_field_has_its_own_text() {
        assert_eq!(fault(json!({})), "");
        assert_eq!(fault(json!({ "product_name": "" })), "product_name is required");
        assert_eq!(fault(json!({ "product_name": "a<b" })), "invalid product_name: invalid characters");
        assert_eq!(
            fault(json!({ "product_name": "a".repeat(121) })),
            "invalid product_name: product_name too long/short"
        );
        assert_eq!(fault(json!({ "product_code": "p-1" })), "");
        assert_eq!(fault(json!({ "product_code": "p--1" })), "invalid product_code");
        assert_eq!(fault(json!({ "description": "a".repeat(5_001) })), "invalid description");
        assert_eq!(fault(json!({ "image_url": "javascript:alert(1)" })), "invalid image_url");
        assert_eq!(fault(json!({ "image_url": " " })), "invalid image_url");
        assert_eq!(fault(json!({ "image_url": null })), "image is required");
    }

    #[test]
    fn prices_and_stocks_are_exact_and_bounded() {
        for bad in [json!(-1), json!(1.005), json!(10_000_000.01), json!("NaN"), json!(1e300)] {
            assert_eq!(fault(json!({ "price": bad })), "invalid price", "{bad}");
        }
        for bad in [json!(-1), json!(1.5), json!(1_000_001), json!("1e3"), json!("+5")] {
            assert_eq!(fault(json!({ "stock": bad })), "invalid stock", "{bad}");
        }
        assert_eq!(fault(json!({ "price": "10000000.00", "stock": "1000000" })), "");
    }
}
