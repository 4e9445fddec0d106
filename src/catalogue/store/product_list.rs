//! The list of all products for staff: its indexes, and the queries for a page and for the number of products.
//!
//! A list with any one condition, in any order, is read from an index in which the products that meet the condition are
//! in that order, so a page costs the same in the middle as at the beginning. These indexes are, for each field by
//! which lists are sorted:
//!
//! | index | for |
//! |---|---|
//! | `list_*` | no condition, `is_active`, `has_offer`: the index has one part for each pair of values, and the database merges the parts |
//! | `below_*` | brand, model and category, with one entry for each |
//! | `sold_out_*` | products that are out of stock |
//!
//! `marks_of_offers` and `ends_of_marked` have the products with an offer. By them, a start finds those whose `has_offer`
//! is wrong, and reads no others.
//!
//! The other conditions have too many values for that. If few products meet them, all of these are read and sorted. If
//! many do, the index `list_*` is read, and soon there are enough of them for a page.

use bson::{Bson, Document, RawBsonRef, RawDocument, doc};
use mongodb::{
    IndexModel,
    action::Action,
    options::{Hint, IndexOptions},
};

use super::{
    product_filter,
    product_search::sold_out,
    products::{ProductDoc, Products},
};
use crate::{
    catalogue::rules::{
        product_filter::ProductFilter,
        product_list::{ListOrder, ListPlace, ListSort, SortValue, Total},
    },
    db::{
        StoreError,
        query::{SEARCH_LIMIT, all_of, following},
        schema::index,
    },
    values::{codes::FullCode, time::Timestamp},
};

/// Up to this many products are read and sorted. Among more of them, in 200,000 products, about as many products are
/// read until a page is full, which is about 10 ms.
const FEW: u64 = 2_000;

/// A product of the list, and its place there.
#[derive(Debug)]
pub struct ListedProduct {
    pub product: ProductDoc,
    /// The next page starts after this place if the product is the last one of its page.
    pub place: ListPlace,
}

impl ListSort {
    const ALL: [Self; 5] = [Self::Code, Self::Name, Self::Price, Self::Stock, Self::UpdatedAt];

    /// Returns the name of the stored field.
    fn field(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Name => "name_order",
            Self::Price => "price",
            Self::Stock => "stock",
            Self::UpdatedAt => "updated_at",
        }
    }

    /// Returns the keys by which products with equal values before this field are in order.
    fn keys(self, direction: i32) -> Document {
        match self {
            // No two products have the same full code.
            Self::Code => doc! { "code": direction },
            _ => doc! { self.field(): direction, "_id": direction },
        }
    }

    /// Returns the stored value of this field as a cursor holds it.
    fn value_in(self, product: &RawDocument) -> SortValue {
        match product.get(self.field()) {
            Ok(Some(RawBsonRef::Int64(number))) => SortValue::Number(number),
            Ok(Some(RawBsonRef::Int32(number))) => SortValue::Number(number.into()),
            Ok(Some(RawBsonRef::DateTime(at))) => SortValue::Number(at.timestamp_millis()),
            Ok(Some(RawBsonRef::String(text))) => SortValue::Text(text.to_owned()),
            _ => SortValue::Text(String::new()),
        }
    }

    /// Returns the filter for the products that follow a place.
    fn filter_after(self, direction: i32, place: &ListPlace) -> Document {
        let value = match &place.value {
            SortValue::Text(text) => Bson::from(text.as_str()),
            SortValue::Number(millis) if self == Self::UpdatedAt => Timestamp::from_millis(*millis).into(),
            SortValue::Number(number) => (*number).into(),
        };
        match self {
            Self::Code => doc! { "code": { if direction < 0 { "$lt" } else { "$gt" }: value } },
            _ => following(self.field(), direction, &value, place.id.into()),
        }
    }
}

/// Returns the indexes that the list needs.
pub(in crate::catalogue) fn list_indexes() -> Vec<IndexModel> {
    let mut indexes = vec![
        index("updated_at", doc! { "updated_at": 1 }),
        // By these, a start finds products whose `has_offer` is wrong, without reading the others.
        partial("marks_of_offers", doc! { "has_offer": 1 }, doc! { "offer.to": { "$exists": true } }),
        partial("ends_of_marked", doc! { "offer.to": 1 }, doc! { "has_offer": true }),
    ];
    for sort in ListSort::ALL {
        let led_by = |leading: Document| leading.into_iter().chain(sort.keys(1)).collect::<Document>();
        indexes.push(index(&Kind::List.index_name(sort), led_by(doc! { "is_active": 1, "has_offer": 1 })));
        indexes.push(index(&Kind::Below.index_name(sort), led_by(doc! { "branches": 1 })));
        if sort != ListSort::Stock {
            indexes.push(partial(&Kind::SoldOut.index_name(sort), sort.keys(1), sold_out()));
        }
    }
    indexes
}

/// Declares an index of the products that meet a condition.
fn partial(name: &str, keys: Document, condition: Document) -> IndexModel {
    let options = IndexOptions::builder().name(name.to_owned()).partial_filter_expression(condition);
    IndexModel::builder().keys(keys).options(options.build()).build()
}

impl Products {
    /// Returns up to `limit` products that meet the conditions, after a place in the list, and the number of all of
    /// them. Hidden ones count too.
    ///
    /// Fails with [`StoreError::OutOfTime`] if one of the two queries takes longer than two seconds.
    pub(in crate::catalogue) async fn list(
        &self,
        filter: &ProductFilter,
        order: ListOrder,
        after: Option<&ListPlace>,
        limit: i64,
    ) -> Result<(Vec<ListedProduct>, Total), StoreError> {
        let total = self.total(filter).await?;
        if total.is_at_most(0) {
            return Ok((Vec::new(), total));
        }
        let (direction, path) = (if order.is_descending { -1 } else { 1 }, Path::of(filter, order.by, total));
        let mut conditions = [product_filter::conditions(filter), path.all_parts].concat();
        conditions.extend(after.map(|place| order.by.filter_after(direction, place)));
        let query = self.docs.find(all_of(conditions)).sort(order.by.keys(direction)).limit(limit);
        let query = query.max_time(SEARCH_LIMIT);
        let mut cursor = query.optional(path.index, |query, name| query.hint(Hint::Name(name))).await?;
        let mut found = Vec::new();
        while cursor.advance().await? {
            let product = cursor.deserialize_current()?;
            let place = ListPlace { value: order.by.value_in(cursor.current()), id: product.id };
            found.push(ListedProduct { product, place });
        }
        Ok((found, total))
    }

    /// Counts the products of a category, hidden ones too.
    pub(in crate::catalogue) async fn total_of_category(&self, category: &FullCode) -> Result<Total, StoreError> {
        self.total_in(doc! { "parent": category }, Some("parent")).await
    }

    async fn total_in(&self, filter: Document, index: Option<&str>) -> Result<Total, StoreError> {
        let count = self.docs.count_documents(filter).limit(Total::MOST + 1).max_time(SEARCH_LIMIT);
        Ok(Total::of(count.optional(index, |count, name| count.hint(Hint::Name(name.to_owned()))).await?))
    }

    /// Counts the products that meet the conditions.
    async fn total(&self, filter: &ProductFilter) -> Result<Total, StoreError> {
        self.total_in(product_filter::countable(filter), product_filter::index_of(filter)).await
    }
}

/// The kinds of indexes in which products that meet a condition are in the order of a list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    List,
    Below,
    SoldOut,
    /// The index `stock`, by which conditions about the stock are met as well.
    Stock,
}

impl Kind {
    fn of(filter: &ProductFilter, sort: ListSort) -> Self {
        match filter.in_stock {
            _ if filter.branches().count() > 0 => Self::Below,
            // Thousands of products have the same stock, such as none. Merging the parts of `list_stock` behind a place
            // among them would sort them all.
            _ if sort == ListSort::Stock && filter.is_active.is_none() && filter.has_offer.is_none() => Self::Stock,
            Some(false) if sort != ListSort::Stock => Self::SoldOut,
            _ => Self::List,
        }
    }

    fn index_name(self, sort: ListSort) -> String {
        let kind = match self {
            Self::List => "list",
            Self::Below => "below",
            Self::SoldOut => "sold_out",
            Self::Stock => return "stock".to_owned(),
        };
        format!("{kind}_{}", sort.field())
    }

    /// Returns whether an index of this kind also has products that don't meet the conditions, and must be passed over.
    fn has_others(self, filter: &ProductFilter, sort: ListSort) -> bool {
        let is_by_stock = filter.in_stock.is_some() || filter.stock_max.is_some();
        let is_by_state = filter.is_active.is_some() || filter.has_offer.is_some();
        filter.text.is_some()
            || filter.branches().count() > usize::from(self == Self::Below)
            || is_by_stock && self != Self::SoldOut && sort != ListSort::Stock
            || is_by_state && self != Self::List
            || filter.updated_from.is_some() && sort != ListSort::UpdatedAt
    }
}

/// The way in which a page is found.
struct Path {
    /// The index; `None` if the database chooses.
    index: Option<String>,
    /// Conditions that every product meets. They name all parts of the index, so that the database can merge them.
    all_parts: Vec<Document>,
}

impl Path {
    fn of(filter: &ProductFilter, sort: ListSort, total: Total) -> Self {
        let kind = Kind::of(filter, sort);
        if total.is_at_most(FEW) && kind.has_others(filter, sort) {
            return Self { index: product_filter::index_of(filter).map(str::to_owned), all_parts: Vec::new() };
        }
        let all_parts = if kind == Kind::List { product_filter::all_parts(filter) } else { Vec::new() };
        Self { index: Some(kind.index_name(sort)), all_parts }
    }
}
