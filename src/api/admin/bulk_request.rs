//! The body of a change of many products, and the check of its rules.

use std::collections::BTreeSet;

use poem_openapi::{Object, types::Example};
use serde::Deserialize;

use super::offers::OffersIn;
use crate::{
    api::{
        body::KnownFields,
        fields::{Decimal, Flag, Line, list, not_null, object},
    },
    catalogue::{
        OfferChange, TreeLevel,
        bulk::{BulkChange, BulkRequest, BulkSelection},
        rules::product_filter::{ProductFilter, ProductFilterTexts},
    },
    values::{
        codes::FullCode,
        invalid::{Faults, InvalidField},
    },
};

/// The most codes of one request.
const MOST_CODES: usize = 500;
/// The longest text that can be the full code of a product.
const LONGEST_CODE: usize = 3 * 11 + 40;

/// A change of many products. Either `codes` or `filter` chooses them. Fields that this schema does not have are
/// refused, at any depth.
#[derive(Debug, Object, Deserialize)]
#[oai(rename = "Bulk", example)]
pub(super) struct BulkIn {
    /// Full codes of 1 to 500 products, in any case.
    #[serde(default, deserialize_with = "list")]
    codes: Option<Vec<Line>>,
    /// At least one condition.
    #[serde(default, deserialize_with = "object")]
    filter: Option<BulkFilterIn>,
    /// Exactly one of its fields.
    #[serde(default, deserialize_with = "object")]
    change: Option<BulkChangeIn>,
    /// `true` to only tell what would happen; `false` if left out.
    #[serde(default, deserialize_with = "not_null")]
    dry_run: Option<Flag>,
}

/// Conditions that a product must all meet: those of the list of products.
#[derive(Debug, Default, Object, Deserialize)]
#[oai(rename = "BulkFilter")]
struct BulkFilterIn {
    /// The beginning of a full code or of an own code, or beginnings of words of the name.
    #[serde(default, deserialize_with = "not_null")]
    q: Option<Line>,
    /// Code of the brand.
    #[serde(default, deserialize_with = "not_null")]
    brand: Option<Line>,
    /// Own code of the model, whatever the brand.
    #[serde(default, deserialize_with = "not_null")]
    model: Option<Line>,
    /// Own code of the category, whatever the model.
    #[serde(default, deserialize_with = "not_null")]
    category: Option<Line>,
    /// Whether customers can see the product.
    #[serde(default, deserialize_with = "not_null")]
    is_active: Option<Flag>,
    /// Whether there is at least one piece in stock.
    #[serde(default, deserialize_with = "not_null")]
    in_stock: Option<Flag>,
    /// The most pieces in stock.
    #[serde(default, deserialize_with = "not_null")]
    stock_max: Option<Decimal>,
    /// Whether the product has an offer, which may be over or still to begin.
    #[serde(default, deserialize_with = "not_null")]
    has_offer: Option<Flag>,
    /// Changed at this time or later: RFC 3339, a date or Unix seconds.
    #[serde(default, deserialize_with = "not_null")]
    updated_from: Option<Line>,
}

/// What is done with each product: exactly one of these.
#[derive(Debug, Default, Object, Deserialize)]
#[oai(rename = "BulkChange")]
struct BulkChangeIn {
    /// Whether customers see the product.
    #[serde(default, deserialize_with = "not_null")]
    is_active: Option<Flag>,
    /// Percentage by which the price is raised, or lowered if negative: -100 to 1000 with at most two decimals. New
    /// prices are rounded half up.
    #[serde(default, deserialize_with = "not_null")]
    price_percent: Option<Decimal>,
    /// New offer, which replaces the current one; `{}` removes it.
    #[serde(default, deserialize_with = "not_null")]
    offers: Option<OffersIn>,
    /// `true` to delete the product.
    #[serde(default, deserialize_with = "not_null")]
    delete: Option<Flag>,
}

/// A checked body.
pub(super) struct CheckedBulk {
    pub request: BulkRequest,
    pub is_dry_run: bool,
}

impl KnownFields for BulkIn {
    const PATHS: &'static [&'static str] = &[
        "codes",
        "filter.q",
        "filter.brand",
        "filter.model",
        "filter.category",
        "filter.is_active",
        "filter.in_stock",
        "filter.stock_max",
        "filter.has_offer",
        "filter.updated_from",
        "change.is_active",
        "change.price_percent",
        "change.offers.discount",
        "change.offers.validity.from",
        "change.offers.validity.to",
        "change.offers.description",
        "change.delete",
        "dry_run",
    ];
}

impl BulkIn {
    /// Checks the body.
    pub(super) fn check(self, faults: &mut Faults) -> Option<CheckedBulk> {
        let selection = check_selection(self.codes, self.filter, faults);
        let change = check_change(self.change, faults);
        let is_dry_run = faults.optional("dry_run", self.dry_run, |flag| Ok(flag.0)).unwrap_or_default();
        Some(CheckedBulk { request: BulkRequest { selection: selection?, change: change? }, is_dry_run })
    }
}

fn check_selection(
    codes: Option<Vec<Line>>,
    filter: Option<BulkFilterIn>,
    faults: &mut Faults,
) -> Option<BulkSelection> {
    let has_codes = codes.is_some() || faults.is_unreadable(&["codes"]);
    let has_both = has_codes && filter.is_some();
    let codes = faults.optional("codes", codes, check_length).and_then(|codes| check_codes(codes, faults));
    if has_both {
        faults.add(fault("filter", "codes and filter exclude each other"));
        return None;
    }
    if has_codes {
        return codes.map(BulkSelection::Codes);
    }
    let count = faults.count();
    let filter = faults.optional("filter", filter, Ok).map(|filter| filter.check(faults));
    match filter {
        Some(filter) if !filter.is_empty() => Some(BulkSelection::Filter(Box::new(filter))),
        _ if faults.count() > count => None,
        _ => {
            faults.add_missing("filter");
            None
        }
    }
}

fn check_length(codes: Vec<Line>) -> Result<Vec<Line>, InvalidField> {
    if (1..=MOST_CODES).contains(&codes.len()) {
        return Ok(codes);
    }
    Err(fault("codes", "codes must be a list of 1 to 500 codes"))
}

/// Checks each of the codes. Returns `None` if there are faults, which name the places of the codes.
fn check_codes(codes: Vec<Line>, faults: &mut Faults) -> Option<BTreeSet<FullCode>> {
    let full_code = |(at, line): (usize, Line)| {
        let code = Some(line.0).filter(|text| text.len() <= LONGEST_CODE);
        let code = code.and_then(|text| FullCode::of_level(TreeLevel::Product, &text));
        if code.is_none() {
            let field = format!("codes[{at}]");
            let text = format!("{field} must be the full code of a product, such as TATA-NEXON-BRK-PADF");
            faults.add(InvalidField { field: field.into(), text });
        }
        code
    };
    let codes: Vec<Option<FullCode>> = codes.into_iter().enumerate().map(full_code).collect();
    codes.into_iter().collect()
}

impl BulkFilterIn {
    /// Checks the conditions. Those at fault are left out.
    fn check(self, faults: &mut Faults) -> ProductFilter {
        let line = |faults: &mut Faults, field: &'static str, line: Option<Line>| {
            // In a query an empty condition is left out. Here it would choose every product.
            let empty = || InvalidField { field: field.into(), text: format!("{field} must not be empty") };
            faults.optional(field, line, |line| if line.0.is_empty() { Err(empty()) } else { Ok(line.0) })
        };
        let flag = |faults: &mut Faults, field, flag: Option<Flag>| {
            faults.optional(field, flag, |flag| Ok(flag.0.to_string()))
        };
        let texts = ProductFilterTexts {
            q: line(faults, "filter.q", self.q),
            brand: line(faults, "filter.brand", self.brand),
            model: line(faults, "filter.model", self.model),
            category: line(faults, "filter.category", self.category),
            is_active: flag(faults, "filter.is_active", self.is_active),
            in_stock: flag(faults, "filter.in_stock", self.in_stock),
            stock_max: faults.optional("filter.stock_max", self.stock_max, |pieces| Ok(pieces.0)),
            has_offer: flag(faults, "filter.has_offer", self.has_offer),
            updated_from: line(faults, "filter.updated_from", self.updated_from),
        };
        let checked = texts.check();
        checked.unwrap_or_else(|wrong| {
            wrong.iter().for_each(|fault| faults.add(inside("filter", fault.clone())));
            ProductFilter::default()
        })
    }
}

fn check_change(change: Option<BulkChangeIn>, faults: &mut Faults) -> Option<BulkChange> {
    if change.is_none() && !faults.is_unreadable(&["change"]) {
        faults.add_missing("change");
        return None;
    }
    let BulkChangeIn { is_active, price_percent, offers, delete } = faults.optional("change", change, Ok)?;
    let fields = ["change.is_active", "change.price_percent", "change.offers", "change.delete"];
    let unreadable = fields.iter().filter(|field| faults.is_unreadable(&[field])).count();
    let given = [is_active.is_some(), price_percent.is_some(), offers.is_some(), delete.is_some()];
    if given.into_iter().filter(|is_given| *is_given).count() + unreadable != 1 {
        faults.add(fault("change", "change must be exactly one of is_active, price_percent, offers, delete"));
    }
    let visibility = faults.optional(fields[0], is_active, |flag| Ok(BulkChange::Visibility(flag.0)));
    let price = faults.optional(fields[1], price_percent, check_percent);
    let offer = faults.optional(fields[2], offers, |offers| {
        let offer = offers.check().map_err(|fault| inside("change", fault))?;
        Ok(BulkChange::Offer(OfferChange::from(offer)))
    });
    let deletion = faults.optional(fields[3], delete, check_deletion);
    visibility.or(price).or(offer).or(deletion)
}

fn check_percent(percent: Decimal) -> Result<BulkChange, InvalidField> {
    let text = "price_percent must be a number from -100 to 1000 with at most two decimals";
    percent.0.parse().map(BulkChange::Price).map_err(|_| fault("change.price_percent", text))
}

fn check_deletion(delete: Flag) -> Result<BulkChange, InvalidField> {
    if delete.0 { Ok(BulkChange::Delete) } else { Err(fault("change.delete", "delete must be true")) }
}

fn fault(field: &'static str, text: &str) -> InvalidField {
    InvalidField { field: field.into(), text: text.to_owned() }
}

/// Returns a fault of a field that is inside another one.
fn inside(parent: &str, fault: InvalidField) -> InvalidField {
    InvalidField { field: format!("{parent}.{}", fault.field).into(), text: fault.text }
}

impl Example for BulkIn {
    fn example() -> Self {
        let filter = BulkFilterIn { brand: Some(Line("TATA".to_owned())), ..BulkFilterIn::default() };
        let change = BulkChangeIn { price_percent: Some(Decimal("5".to_owned())), ..BulkChangeIn::default() };
        Self { codes: None, filter: Some(filter), change: Some(change), dry_run: Some(Flag(true)) }
    }
}
