//! The rules for the fields of the catalogue. Calls for single entries and the import of files share them.
//!
//! The texts must be trimmed already. Each error names the field at fault.

use super::names::{AltText, Description, InvalidName, Name};
use crate::values::{
    codes::{Code, InvalidCode},
    invalid::InvalidField,
    money::Money,
    tree_level::TreeLevel,
    url::ImageUrl,
};

/// The most pieces of one product that can be in stock.
pub const MAX_STOCK: u32 = 1_000_000;

/// Checks the name of an entry. The field is called `brand_name`, `model_name` and so on.
pub fn name(level: TreeLevel, text: &str) -> Result<Name, InvalidField> {
    let field = format!("{}_name", level.word());
    Name::parse(text).map_err(|why| match why {
        InvalidName::Length => too_long_or_short(&field),
        InvalidName::Characters => invalid_characters(&field),
    })
}

/// Checks the own code of an entry, in any case. The field is called `brand_code`, `model_code` and so on.
pub fn code(level: TreeLevel, text: &str) -> Result<Code, InvalidField> {
    let field = format!("{}_code", level.word());
    if level == TreeLevel::Product {
        return Code::parse_product(text).map_err(|_| InvalidField::invalid(field));
    }
    Code::parse(text).map_err(|why| match why {
        InvalidCode::Length => too_long_or_short(&field),
        InvalidCode::Characters => invalid_characters(&field),
    })
}

/// Checks the description of a product: 1 to 5,000 characters.
pub fn description(text: &str) -> Result<Description, InvalidField> {
    Description::parse(text).ok_or_else(|| InvalidField::invalid("description"))
}

/// Checks the price of one piece: a decimal number with at most two decimals, up to [`Money::MAX_PRICE`].
pub fn price(text: &str) -> Result<Money, InvalidField> {
    let price = text.parse().ok().filter(|price| *price <= Money::MAX_PRICE);
    price.ok_or_else(|| InvalidField::invalid("price"))
}

/// Checks the number of pieces in stock: a whole number from 0 to [`MAX_STOCK`].
pub fn stock(text: &str) -> Result<u32, InvalidField> {
    whole_number(text).filter(|stock| *stock <= MAX_STOCK).ok_or_else(|| InvalidField::invalid("stock"))
}

/// Checks the words that stand for a picture: up to 200 characters, none if empty. An error names `field`.
pub fn alt(field: String, text: &str) -> Result<Option<AltText>, InvalidField> {
    AltText::parse(text).map_err(|why| match why {
        InvalidName::Length => InvalidField::because(field, "alt", "alt too long"),
        InvalidName::Characters => InvalidField::because(field, "alt", "invalid characters"),
    })
}

/// Checks the URL of an image. An error names `field`.
pub fn image_url(field: &'static str, text: &str) -> Result<ImageUrl, InvalidField> {
    ImageUrl::parse(text).ok_or_else(|| InvalidField::invalid(field))
}

fn too_long_or_short(field: &str) -> InvalidField {
    InvalidField::because(field.to_owned(), field, format!("{field} too long/short"))
}

fn invalid_characters(field: &str) -> InvalidField {
    InvalidField::because(field.to_owned(), field, "invalid characters")
}

/// Reads a number that consists of digits only, without a sign, decimals or an exponent.
fn whole_number(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}
