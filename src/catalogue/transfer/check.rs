//! Checks a row: the rules of the API calls that insert and change entries, applied to texts.

use super::rows::{Column, Row};
use crate::{
    catalogue::{
        ProductChange, StockChange,
        rules::{
            entry,
            names::Name,
            pricing::{InvalidOffer, Offer},
        },
    },
    values::{
        codes::{Code, FullCode},
        invalid::InvalidField,
        text,
        tree_level::TreeLevel,
        url::ImageUrl,
    },
};

/// The entries that a row describes: one entry, and the parents that it names.
#[derive(Debug, Clone)]
pub(super) struct DesiredRow {
    /// One to three branches, from the brand downwards.
    pub(super) branches: Vec<DesiredBranch>,
    /// The product; only if there are three branches.
    pub(super) product: Option<DesiredProduct>,
}

/// A brand, model or category as a row describes it. Fields that are `None` stay as they are.
#[derive(Debug, Clone)]
pub(super) struct DesiredBranch {
    pub(super) level: TreeLevel,
    pub(super) own_code: Code,
    pub(super) code: FullCode,
    pub(super) name: Option<Name>,
    pub(super) image_url: Option<ImageUrl>,
}

/// A product as a row describes it. Fields that are `None` stay as they are.
#[derive(Debug, Clone)]
pub(super) struct DesiredProduct {
    pub(super) own_code: Code,
    pub(super) code: FullCode,
    /// All fields except the image.
    pub(super) change: ProductChange,
    pub(super) image_url: Option<ImageUrl>,
}

/// The columns for code, name and URL of the image on each level above the products.
const BRANCHES: [(TreeLevel, Column, Column, Column); 3] = [
    (TreeLevel::Brand, Column::BrandCode, Column::BrandName, Column::BrandImageUrl),
    (TreeLevel::Model, Column::ModelCode, Column::ModelName, Column::ModelImageUrl),
    (TreeLevel::Category, Column::CategoryCode, Column::CategoryName, Column::CategoryImageUrl),
];

/// Checks a row. The error tells the first fault only.
pub(super) fn check(row: &Row) -> Result<DesiredRow, InvalidField> {
    let mut branches: Vec<DesiredBranch> = Vec::new();
    for (level, code, name, image_url) in BRANCHES {
        if ends_above(row, level)? {
            return Ok(DesiredRow { branches, product: None });
        }
        let own_code = entry::code(level, needed(row, code)?)?;
        branches.push(DesiredBranch {
            level,
            code: below(branches.last(), &own_code),
            own_code,
            name: given(row, name)?.map(|text| entry::name(level, text)).transpose()?,
            image_url: given(row, image_url)?.map(|text| entry::image_url(image_url.name(), text)).transpose()?,
        });
    }
    let product = match ends_above(row, TreeLevel::Product)? {
        true => None,
        false => Some(product(row, branches.last())?),
    };
    Ok(DesiredRow { branches, product })
}

/// Returns whether the row says nothing about this level and the levels below it.
///
/// For the brand the answer is always `false`, because each row must name one.
fn ends_above(row: &Row, level: TreeLevel) -> Result<bool, InvalidField> {
    if level == TreeLevel::Brand {
        return Ok(false);
    }
    let reaches = |column: &&Column| column.level() as u8 >= level as u8;
    let mut below = Column::ALL.iter().filter(reaches);
    Ok(below.all(|column| row.get(*column).is_none_or(|text| text.trim().is_empty())))
}

fn below(parent: Option<&DesiredBranch>, own_code: &Code) -> FullCode {
    parent.map_or_else(|| FullCode::join([own_code.as_str()]), |parent| parent.code.child(own_code))
}

fn product(row: &Row, category: Option<&DesiredBranch>) -> Result<DesiredProduct, InvalidField> {
    let own_code = entry::code(TreeLevel::Product, needed(row, Column::ProductCode)?)?;
    let name = given(row, Column::ProductName)?;
    let is_active = given(row, Column::IsActive)?;
    let change = ProductChange {
        name: name.map(|text| entry::name(TreeLevel::Product, text)).transpose()?,
        description: given_lines(row, Column::Description)?.map(entry::description).transpose()?,
        price: given(row, Column::Price)?.map(entry::price).transpose()?,
        stock: given(row, Column::Stock)?.map(entry::stock).transpose()?.map(StockChange::To),
        offer: offer(row)?,
        is_active: is_active.map(flag).transpose()?,
        image: None,
    };
    let image_url = given(row, Column::ImageUrl)?;
    Ok(DesiredProduct {
        code: below(category, &own_code),
        own_code,
        change,
        image_url: image_url.map(|text| entry::image_url(Column::ImageUrl.name(), text)).transpose()?,
    })
}

/// Reads the four columns of the offer.
///
/// | the row has | result | meaning |
/// |---|---|---|
/// | none of the columns | `None` | the offer stays as it is |
/// | some of them, all empty | `Some(None)` | the offer is removed |
/// | a value in one of them | `Some(Some(_))`, or an error unless all four are valid | the offer is replaced |
fn offer(row: &Row) -> Result<Option<Option<Offer>>, InvalidField> {
    let columns = [Column::OfferDiscount, Column::OfferFrom, Column::OfferTo, Column::OfferDescription];
    let mut there = columns.into_iter().filter_map(|column| row.get(column)).peekable();
    if there.peek().is_none() {
        return Ok(None);
    }
    if there.all(|text| text.trim().is_empty()) {
        return Ok(Some(None));
    }
    let second = |column| Ok::<_, InvalidField>(needed(row, column)?.parse().ok());
    let discount = needed(row, Column::OfferDiscount)?;
    let (from, to) = (second(Column::OfferFrom)?, second(Column::OfferTo)?);
    let description = given_lines(row, Column::OfferDescription)?;
    let description = description.ok_or_else(|| InvalidField::required(Column::OfferDescription.name()))?;
    Offer::check(discount, from, to, description.to_owned()).map(|offer| Some(Some(offer))).map_err(invalid_offer)
}

fn invalid_offer(why: InvalidOffer) -> InvalidField {
    let (column, text) = match why {
        InvalidOffer::Discount => {
            (Column::OfferDiscount, "offer_discount must be between 0 and 100 with at most two decimals")
        }
        InvalidOffer::Seconds => (Column::OfferFrom, "offer_from and offer_to must be whole Unix seconds"),
        InvalidOffer::Reversed => (Column::OfferFrom, "offer_from must not be after offer_to"),
        InvalidOffer::Description => (Column::OfferDescription, "invalid offer_description"),
    };
    InvalidField { field: column.name().into(), text: text.to_owned() }
}

fn flag(text: &str) -> Result<bool, InvalidField> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(fault(Column::IsActive, "must be true or false")),
    }
}

/// Returns the trimmed text in a column, which must be a single line; `None` if the file does not have the column.
///
/// An empty text is an error. To leave a value as it is, a file must leave out the column.
fn given(row: &Row, column: Column) -> Result<Option<&str>, InvalidField> {
    checked(row, column, text::trimmed_line)
}

/// Works like [`given`] for a text that may have several lines.
fn given_lines(row: &Row, column: Column) -> Result<Option<&str>, InvalidField> {
    checked(row, column, text::trimmed_lines)
}

fn checked(
    row: &Row,
    column: Column,
    check: impl Fn(&str) -> Result<&str, text::ControlCharacters>,
) -> Result<Option<&str>, InvalidField> {
    let Some(text) = row.get(column) else { return Ok(None) };
    match check(text) {
        Ok("") => Err(InvalidField::required(column.name())),
        Ok(text) => Ok(Some(text)),
        Err(why) => Err(fault(column, why)),
    }
}

/// Works like [`given`], but fails if the file does not have the column.
fn needed(row: &Row, column: Column) -> Result<&str, InvalidField> {
    given(row, column)?.ok_or_else(|| InvalidField::required(column.name()))
}

fn fault(column: Column, why: impl std::fmt::Display) -> InvalidField {
    InvalidField { field: column.name().into(), text: format!("{} {why}", column.name()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: &[(Column, &str)]) -> Row {
        let mut row = Row::default();
        cells.iter().for_each(|(column, text)| row.set(*column, *text));
        row
    }

    fn product_with(cells: &[(Column, &str)]) -> Result<DesiredRow, InvalidField> {
        let codes = [
            (Column::BrandCode, "TATA"),
            (Column::ModelCode, "NEXON"),
            (Column::CategoryCode, "BRK"),
            (Column::ProductCode, "P1"),
        ];
        check(&row(&[&codes[..], cells].concat()))
    }

    fn fault_of(cells: &[(Column, &str)]) -> String {
        product_with(cells).err().map_or_else(String::new, |invalid| invalid.text)
    }

    #[test]
    fn a_row_ends_where_nothing_more_is_said() {
        let brand = check(&row(&[(Column::BrandCode, " TATA "), (Column::ModelCode, ""), (Column::Price, " ")]));
        let brand = brand.expect("a brand");
        assert_eq!((brand.branches.len(), brand.product.is_none()), (1, true));
        let product = product_with(&[]).expect("a product").product.expect("a product");
        assert_eq!(product.code.as_str(), "TATA-NEXON-BRK-P1");
        let gap = check(&row(&[(Column::BrandCode, "TATA"), (Column::CategoryCode, "BRK")]));
        assert_eq!(gap.expect_err("a gap").text, "model_code is required");
        let stray = check(&row(&[(Column::BrandCode, "TATA"), (Column::Price, "1")]));
        assert_eq!(stray.expect_err("a price of nothing").text, "model_code is required");
        assert_eq!(check(&Row::default()).expect_err("nothing").text, "brand_code is required");
    }

    #[test]
    fn a_column_that_is_there_is_not_empty() {
        assert_eq!(fault_of(&[(Column::BrandName, "")]), "brand_name is required");
        assert_eq!(fault_of(&[(Column::Description, " \n ")]), "description is required");
        assert_eq!(fault_of(&[(Column::IsActive, "")]), "is_active is required");
        assert_eq!(fault_of(&[(Column::IsActive, "TRUE")]), "");
        assert_eq!(fault_of(&[(Column::ProductName, "a\0b")]), "product_name must not contain control characters");
        assert_eq!(fault_of(&[(Column::Price, "1.005")]), "invalid price");
        assert_eq!(fault_of(&[(Column::BrandImageUrl, "ftp://x")]), "invalid brand_image_url");
    }

    #[test]
    fn an_offer_is_whole_or_ended_or_left_alone() {
        let offer = |cells: &[(Column, &str)]| product_with(cells).map(|wanted| wanted.product.map(|p| p.change.offer));
        assert_eq!(offer(&[]).expect("a product"), Some(None));
        assert_eq!(offer(&[(Column::OfferFrom, "")]).expect("a product"), Some(Some(None)));
        let mut whole = vec![
            (Column::OfferDiscount, "12.5"),
            (Column::OfferFrom, "1"),
            (Column::OfferTo, "2"),
            (Column::OfferDescription, "Sale"),
        ];
        assert!(matches!(offer(&whole), Ok(Some(Some(Some(_))))));
        whole[1].1 = "3";
        assert_eq!(fault_of(&whole), "offer_from must not be after offer_to");
        whole[1].1 = "1.5";
        assert_eq!(fault_of(&whole), "offer_from and offer_to must be whole Unix seconds");
        whole.pop();
        assert_eq!(fault_of(&whole), "offer_description is required");
    }
}
