//! Checks a row: the rules of the API calls that insert and change entries, applied to texts.

use super::{
    cells::{boolean, optional, optional_lines, optional_number, required, whole},
    fault::Fault,
    garbling::Garbling,
    rows::{Column, Row},
};
use crate::{
    catalogue::{
        OfferChange, ProductChange, StockChange,
        rules::{
            entry,
            names::Name,
            pricing::{InvalidOffer, Offer},
        },
    },
    images,
    values::{
        codes::{Code, FullCode},
        invalid::InvalidField,
        tree_level::TreeLevel,
        url::{ImageUrl, PublicUrl},
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

impl DesiredRow {
    /// Replaces the URLs of images of the shop by those under which they are stored.
    pub(super) fn with_stored_urls(mut self, public_url: &PublicUrl) -> Self {
        let urls = self.branches.iter_mut().map(|branch| &mut branch.image_url);
        for url in urls.chain(self.product.as_mut().map(|product| &mut product.image_url)) {
            *url = url.take().map(|url| images::stored_url(public_url, url));
        }
        self
    }

    /// Returns the URL of the image on each level that the row names, from the brand downwards.
    pub(super) fn image_urls(&self) -> impl Iterator<Item = Option<&ImageUrl>> {
        let branches = self.branches.iter().map(|branch| branch.image_url.as_ref());
        branches.chain(self.product.iter().map(|product| product.image_url.as_ref()))
    }

    /// Returns the branches from the brand downwards, each with whether the row is about it and not about an entry
    /// below.
    pub(super) fn branches(&self) -> impl Iterator<Item = (&DesiredBranch, bool)> {
        let own = self.branches.len().checked_sub(1).filter(|_| self.product.is_none());
        self.branches.iter().enumerate().map(move |(index, branch)| (branch, own == Some(index)))
    }
}

/// A brand, model or category as a row describes it. Fields that are `None` stay as they are.
#[derive(Debug, Clone)]
pub(super) struct DesiredBranch {
    pub(super) level: TreeLevel,
    pub(super) own_code: Code,
    pub(super) code: FullCode,
    pub(super) name: Option<Name>,
    pub(super) image_url: Option<ImageUrl>,
    /// Why the name may not be stored: it was read in the wrong encoding. A name that is stored already may stay.
    pub(super) garbled_name: Option<Fault>,
}

/// A product as a row describes it. Fields that are `None` stay as they are.
#[derive(Debug, Clone)]
pub(super) struct DesiredProduct {
    pub(super) own_code: Code,
    pub(super) code: FullCode,
    /// All fields except the image.
    pub(super) change: ProductChange,
    pub(super) image_url: Option<ImageUrl>,
    /// Why some of the texts may not be stored, as for branches.
    pub(super) garbled: Vec<Fault>,
}

/// The columns for name and URL of the image on each level above the products.
const BRANCHES: [(TreeLevel, Column, Column); 3] = [
    (TreeLevel::Brand, Column::BrandName, Column::BrandImageUrl),
    (TreeLevel::Model, Column::ModelName, Column::ModelImageUrl),
    (TreeLevel::Category, Column::CategoryName, Column::CategoryImageUrl),
];

/// Checks a row. The error tells the first fault only.
pub(super) fn check_row(row: &Row) -> Result<DesiredRow, Fault> {
    let mut branches: Vec<DesiredBranch> = Vec::new();
    for (level, name, image_url) in BRANCHES {
        // Each row must name a brand.
        if level != TreeLevel::Brand && is_empty_from(row, level) {
            return Ok(DesiredRow { branches, product: None });
        }
        let own_code = code(row, level)?;
        branches.push(DesiredBranch {
            level,
            code: full_code(branches.last(), &own_code),
            own_code,
            name: optional(row, name)?.map(|text| entry::name(level, text)).transpose()?,
            image_url: optional(row, image_url)?.map(|text| entry::image_url(image_url.name(), text)).transpose()?,
            garbled_name: garbled(row, name),
        });
    }
    let product = match is_empty_from(row, TreeLevel::Product) {
        true => None,
        false => Some(product(row, branches.last())?),
    };
    Ok(DesiredRow { branches, product })
}

/// Returns whether the row says nothing about this level and the levels below it.
fn is_empty_from(row: &Row, level: TreeLevel) -> bool {
    let mut columns = Column::ALL.iter().filter(|column| column.level() as u8 >= level as u8);
    columns.all(|column| row.get(*column).is_none_or(|text| text.trim().is_empty()))
}

fn full_code(parent: Option<&DesiredBranch>, own_code: &Code) -> FullCode {
    parent.map_or_else(|| FullCode::join([own_code.as_str()]), |parent| parent.code.child(own_code))
}

/// Reads the code of an entry.
fn code(row: &Row, level: TreeLevel) -> Result<Code, InvalidField> {
    let column = Column::code_of(level);
    let text = required(row, column)?;
    entry::code(level, text).map_err(|invalid| match is_scientific(text) || is_date(text) {
        true => InvalidField {
            text: format!("{}; a spreadsheet has probably made a number or a date of it", invalid.text),
            ..invalid
        },
        false => invalid,
    })
}

/// Returns whether a text is a date with slashes: `03/01/26`.
fn is_date(text: &str) -> bool {
    let is_part = |part: &str| (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    text.split('/').count() == 3 && text.split('/').all(is_part)
}

/// Returns whether a text is a number as spreadsheets show large ones: `1.23E+10`.
fn is_scientific(text: &str) -> bool {
    let parts = text.split_once(['E', 'e']).and_then(|(digits, power)| Some((digits, power.strip_prefix(['+', '-'])?)));
    parts.is_some_and(|(digits, power)| {
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        is_number(&digits.replacen(['.', ','], "", 1)) && is_number(power)
    })
}

fn product(row: &Row, category: Option<&DesiredBranch>) -> Result<DesiredProduct, InvalidField> {
    let own_code = code(row, TreeLevel::Product)?;
    let name = optional(row, Column::ProductName)?;
    let stock = optional_number(row, Column::Stock)?;
    let is_active = optional(row, Column::IsActive)?;
    let change = ProductChange {
        name: name.map(|text| entry::name(TreeLevel::Product, text)).transpose()?,
        description: optional_lines(row, Column::Description)?.map(entry::description).transpose()?,
        price: optional_number(row, Column::Price)?.map(entry::price).transpose()?,
        stock: stock.map(|text| entry::stock(whole(text))).transpose()?.map(StockChange::To),
        offer: offer_change(row)?,
        is_active: is_active.map(boolean).transpose()?,
        image: None,
    };
    let image_url = optional(row, Column::ImageUrl)?;
    let texts = [Column::ProductName, Column::Description, Column::OfferDescription];
    Ok(DesiredProduct {
        code: full_code(category, &own_code),
        own_code,
        change,
        image_url: image_url.map(|text| entry::image_url(Column::ImageUrl.name(), text)).transpose()?,
        garbled: texts.into_iter().filter_map(|column| garbled(row, column)).collect(),
    })
}

/// Returns the fault of a text that was read in the wrong encoding; `None` if it looks right.
fn garbled(row: &Row, column: Column) -> Option<Fault> {
    let garbling = Garbling::of(row.get(column)?)?;
    Some(Fault::at(column, garbling.fault(column.name())))
}

/// Reads the four columns of the offer.
///
/// | the row has | result | meaning |
/// |---|---|---|
/// | none of the columns | `None` | the offer stays as it is |
/// | some of them, all empty | `Remove` | the offer is removed |
/// | a value in one of them | `Replace`, or an error unless all four are valid | the offer is replaced |
fn offer_change(row: &Row) -> Result<Option<OfferChange>, InvalidField> {
    let columns = [Column::OfferDiscount, Column::OfferFrom, Column::OfferTo, Column::OfferDescription];
    let mut cells = columns.into_iter().filter_map(|column| row.get(column)).peekable();
    if cells.peek().is_none() {
        return Ok(None);
    }
    if cells.all(|text| text.trim().is_empty()) {
        return Ok(Some(OfferChange::Remove));
    }
    let unix_second = |column| Ok::<_, InvalidField>(whole(required(row, column)?).parse().ok());
    let discount = optional_number(row, Column::OfferDiscount)?
        .ok_or_else(|| InvalidField::required(Column::OfferDiscount.name()))?;
    let (from, to) = (unix_second(Column::OfferFrom)?, unix_second(Column::OfferTo)?);
    let description = optional_lines(row, Column::OfferDescription)?
        .ok_or_else(|| InvalidField::required(Column::OfferDescription.name()))?;
    let offer = Offer::check(discount, from, to, description.to_owned()).map_err(invalid_offer)?;
    Ok(Some(OfferChange::Replace(offer)))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: &[(Column, &str)]) -> Row {
        let mut row = Row::default();
        cells.iter().for_each(|(column, text)| row.set(*column, *text));
        row
    }

    fn product_with(cells: &[(Column, &str)]) -> Result<DesiredRow, Fault> {
        let codes = [
            (Column::BrandCode, "TATA"),
            (Column::ModelCode, "NEXON"),
            (Column::CategoryCode, "BRK"),
            (Column::ProductCode, "P1"),
        ];
        check_row(&row(&[&codes[..], cells].concat()))
    }

    fn fault_of(cells: &[(Column, &str)]) -> String {
        product_with(cells).err().map_or_else(String::new, |invalid| invalid.text)
    }

    #[test]
    fn a_row_ends_where_nothing_more_is_said() {
        let brand_row =
            check_row(&row(&[(Column::BrandCode, " TATA "), (Column::ModelCode, ""), (Column::Price, " ")]));
        let brand = brand_row.expect("a brand");
        assert_eq!((brand.branches.len(), brand.product.is_none()), (1, true));
        let product = product_with(&[]).expect("a product").product.expect("a product");
        assert_eq!(product.code.as_str(), "TATA-NEXON-BRK-P1");
        let gap = check_row(&row(&[(Column::BrandCode, "TATA"), (Column::CategoryCode, "BRK")]));
        assert_eq!(gap.expect_err("a gap").text, "model_code is required");
        let stray = check_row(&row(&[(Column::BrandCode, "TATA"), (Column::Price, "1")]));
        assert_eq!(stray.expect_err("a price of nothing").text, "model_code is required");
        assert_eq!(check_row(&Row::default()).expect_err("nothing").text, "brand_code is required");
    }

    #[test]
    fn a_column_that_is_there_is_not_empty() {
        assert_eq!(fault_of(&[(Column::BrandName, "")]), "brand_name is required");
        assert_eq!(fault_of(&[(Column::Description, " \n ")]), "description is required");
        assert_eq!(fault_of(&[(Column::IsActive, "")]), "is_active is required");
        assert_eq!(fault_of(&[(Column::IsActive, "TRUE")]), "");
        assert_eq!(fault_of(&[(Column::ProductName, "a\0b")]), "product_name must not contain control characters");
        assert_eq!(fault_of(&[(Column::Price, "1.005")]), "invalid price");
        assert_eq!(fault_of(&[(Column::Stock, "10.5")]), "invalid stock");
        assert_eq!(
            (fault_of(&[(Column::Stock, "10.")]), fault_of(&[(Column::Stock, "10.00")])),
            ("invalid stock".into(), String::new())
        );
        assert_eq!(fault_of(&[(Column::BrandImageUrl, "ftp://x")]), "invalid brand_image_url");
    }

    #[test]
    fn numbers_that_could_mean_another_are_told() {
        let text = "invalid stock: it may have separators of thousands; write 12000 or 12";
        assert_eq!(fault_of(&[(Column::Stock, "12.000")]), text);
        for ambiguous in ["1.000", "999.000", "20.000"] {
            assert!(fault_of(&[(Column::Price, ambiguous)]).contains("separators of thousands"), "{ambiguous}");
        }
        for plain in ["0.000", "1234.000", "1.00", "12.5", "1000"] {
            assert_eq!(fault_of(&[(Column::Price, plain)]), "", "{plain}");
        }
        for other in
            ["₹ 5", "5 €", "$5", "10%", "1E+3", "1e3", "2,499", "1'000", "+5", "-5", "5-", "1 000", "٥", "0x1F", "∞"]
        {
            assert_eq!(fault_of(&[(Column::Price, other)]), "invalid price", "{other}");
            assert_eq!(fault_of(&[(Column::Stock, other)]), "invalid stock", "{other}");
        }
        let code = |text| fault_of(&[(Column::ProductCode, text)]);
        let told = "invalid product_code; a spreadsheet has probably made a number or a date of it";
        assert_eq!([code("1.23E+10"), code("1,5e-7"), code("03/01/26")], [told; 3]);
        assert_eq!([code("A+1"), code("A/B/C")], ["invalid product_code"; 2]);
    }

    #[test]
    fn flags_are_read_as_spreadsheets_of_many_languages_write_them() {
        let flag = |text| product_with(&[(Column::IsActive, text)]).expect("a row").product.expect("a product");
        for (text, is_active) in [("WAHR", true), ("Faux", false), ("ИСТИНА", true), ("YANLIŞ", false), ("true ", true)]
        {
            assert_eq!(flag(text).change.is_active, Some(is_active), "{text}");
        }
        for other in ["1", "0", "yes", "x", "verità"] {
            assert_eq!(fault_of(&[(Column::IsActive, other)]), "is_active must be true or false", "{other}");
        }
    }

    #[test]
    fn an_offer_is_whole_or_ended_or_left_alone() {
        let change =
            |cells: &[(Column, &str)]| product_with(cells).expect("a row").product.expect("a product").change.offer;
        assert_eq!(change(&[]), None);
        assert_eq!(change(&[(Column::OfferFrom, "")]), Some(OfferChange::Remove));
        let mut whole = vec![
            (Column::OfferDiscount, "12.5"),
            (Column::OfferFrom, "1"),
            (Column::OfferTo, "2"),
            (Column::OfferDescription, "Sale"),
        ];
        assert!(matches!(change(&whole), Some(OfferChange::Replace(_))));
        whole[1].1 = "3";
        assert_eq!(fault_of(&whole), "offer_from must not be after offer_to");
        whole[1].1 = "1.5";
        assert_eq!(fault_of(&whole), "offer_from and offer_to must be whole Unix seconds");
        whole.pop();
        assert_eq!(fault_of(&whole), "offer_description is required");
    }
}
