//! The rules of the catalogue's fields, however they arrive: each text is trimmed already, each fault names its field.

use super::names::{Description, InvalidName, Name};
use crate::values::{
    codes::{Code, InvalidCode},
    invalid::InvalidField,
    money::Money,
    tree_level::TreeLevel,
    url::ImageUrl,
};

/// The most pieces of a product that can be in stock.
pub const MAX_STOCK: u32 = 1_000_000;

/// The name of an entry.
pub fn name(level: TreeLevel, text: &str) -> Result<Name, InvalidField> {
    let field = format!("{}_name", level.word());
    Name::parse(text).map_err(|why| match (level, why) {
        (TreeLevel::Product, _) => InvalidField::invalid(field),
        (_, InvalidName::Length) => too_long_or_short(&field),
        (_, InvalidName::Characters) => invalid_characters(&field),
    })
}

/// The code of an entry.
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

/// What a product is and fits.
pub fn description(text: &str) -> Result<Description, InvalidField> {
    Description::parse(text).ok_or_else(|| InvalidField::invalid("description"))
}

/// The price of a piece.
pub fn price(text: &str) -> Result<Money, InvalidField> {
    let price = text.parse().ok().filter(|price| *price <= Money::MAX_PRICE);
    price.ok_or_else(|| InvalidField::invalid("price"))
}

/// The pieces in stock.
pub fn stock(text: &str) -> Result<u32, InvalidField> {
    whole_number(text).filter(|stock| *stock <= MAX_STOCK).ok_or_else(|| InvalidField::invalid("stock"))
}

/// The address of an entry's image, in the field of that name.
pub fn image_url(field: &'static str, text: &str) -> Result<ImageUrl, InvalidField> {
    ImageUrl::parse(text).ok_or_else(|| InvalidField::invalid(field))
}

fn too_long_or_short(field: &str) -> InvalidField {
    InvalidField::because(field.to_owned(), field, format!("{field} too long/short"))
}

fn invalid_characters(field: &str) -> InvalidField {
    InvalidField::because(field.to_owned(), field, "invalid characters")
}

/// Digits only: no sign, no decimals, no exponent.
fn whole_number(text: &str) -> Option<u32> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}
