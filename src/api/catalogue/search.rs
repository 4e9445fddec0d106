//! `/api/utils/search/`: the search of the whole catalogue by code, name and description.

use std::sync::Arc;

use poem_openapi::{Object, OpenApi, types::Example};
use serde::Serialize;

use super::{Text, by_viewer, rendered};
use crate::{
    api::{
        Group,
        access::{ClientAddress, Viewer},
        catalogue_out::{ProductOut, Showing, Timed, first_end},
        error::{ApiError, ApiResult, ErrorCode, Refusal},
        etag::{IfNoneMatch, Tagged},
        paging,
    },
    app::App,
    catalogue::{
        self, View,
        error::CatalogueError,
        rules::{
            product_filter::{self, code, flag},
            product_search::{Order, ProductSearch, ResultPosition},
            search::SearchText,
        },
    },
    limits::{self, Count},
    values::{invalid::InvalidField, limits::Action, money::Money, paging::Slice, time::Timestamp},
};

/// Handler of `/api/utils/search/`.
pub struct SearchApi(pub Arc<App>);

#[OpenApi(prefix_path = "/api/utils", tag = "Group::Utils")]
impl SearchApi {
    /// Searches the whole catalogue
    ///
    /// The best matches come first: products whose code begins with `q`, then those whose name begins with `q`, then
    /// those in whose name every word of `q` begins a word, and last those with all words of `q` in their name or
    /// description. If `q` is the full code of a product, only products whose code begins with it are returned. Staff
    /// also find hidden products.
    #[oai(path = "/search", method = "get", operation_id = "searchCatalogue")]
    #[allow(clippy::too_many_arguments, reason = "a text, six filters, an order, a page, and who asks")]
    async fn search(
        &self,
        viewer: Viewer,
        address: ClientAddress,
        /// Plain text of 1 to 100 characters.
        q: Text,
        /// Only products of the brand with this code.
        brand: Text,
        /// Only products of models with this code, of any brand.
        model: Text,
        /// Only products of categories with this code, of any model.
        category: Text,
        /// Lowest price, without offers.
        min_price: Text,
        /// Highest price, without offers.
        max_price: Text,
        /// `true` for products in stock only; `false` for products that are out of stock only.
        in_stock: Text,
        /// `relevance`, `price` (the lowest first), `-price` (the highest first) or `newest`; `relevance` if left out.
        sort: Text,
        /// Entries per page: 1 to 100; 20 if left out.
        limit: Text,
        /// The `next_cursor` of the previous page.
        cursor: Text,
        known: IfNoneMatch,
    ) -> ApiResult<Tagged<CatalogueFound>, SearchError> {
        let wanted = SearchRequest { q, brand, model, category, min_price, max_price, in_stock, sort }.check();
        let wanted = wanted.map_err(ApiError::from)?;
        let list = list_name(&wanted);
        let slice: Slice<ResultPosition> = paging::slice(&self.0, &list, limit.0, cursor.0).map_err(ApiError::from)?;
        let view = View::Found { wanted: Box::new(wanted.clone()), after: slice.after.clone(), limit: slice.limit };
        // Only searches that need the database count. If the copy becomes invalid right after this check, the search
        // needs the database without being counted, which does no harm.
        if viewer.is_staff || !self.0.catalogue.has(view.clone()).await {
            limits::take(&self.0, Count::by_address(Action::Search, "", address.0)).await.map_err(ApiError::from)?;
        }
        let load = |shown| async move {
            let page = catalogue::search(&self.0, &wanted, &slice, shown).await?;
            let next_cursor = paging::next_cursor(&self.0, &list, &page, |found| found.place.bytes());
            let showing = Showing::now(&self.0);
            let results = page.items.into_iter().map(|found| ProductOut::new(found.product, showing)).collect();
            Ok(rendered(&CatalogueFound { results, next_cursor }))
        };
        Ok(by_viewer(&self.0, &viewer, view, known, load).await.map_err(SearchError)?)
    }
}

/// The query parameters as they were sent.
struct SearchRequest {
    q: Text,
    brand: Text,
    model: Text,
    category: Text,
    min_price: Text,
    max_price: Text,
    in_stock: Text,
    sort: Text,
}

impl SearchRequest {
    fn check(self) -> Result<ProductSearch, InvalidField> {
        let wanted = ProductSearch {
            text: SearchText::parse(self.q.0.as_deref())?,
            brand: optional("brand", &self.brand, code)?,
            model: optional("model", &self.model, code)?,
            category: optional("category", &self.category, code)?,
            min_price: optional("min_price", &self.min_price, price)?,
            max_price: optional("max_price", &self.max_price, price)?,
            in_stock: optional("in_stock", &self.in_stock, flag)?,
            order: optional("sort", &self.sort, order)?.unwrap_or(Order::Relevance),
        };
        if wanted.min_price.zip(wanted.max_price).is_some_and(|(min, max)| min > max) {
            let text = "min_price must not be above max_price".to_owned();
            return Err(InvalidField { field: "min_price".into(), text });
        }
        Ok(wanted)
    }
}

/// Reads an optional parameter. An empty one counts as left out, because forms send an empty text for a field that
/// nobody filled in. The error of `reader` ends the sentence that begins with the name of the parameter and "must be".
fn optional<T>(
    name: &'static str,
    parameter: &Text,
    reader: impl Fn(&str) -> Result<T, &'static str>,
) -> Result<Option<T>, InvalidField> {
    let text = parameter.0.as_deref().filter(|text| !text.trim().is_empty());
    product_filter::read(name, text, reader).transpose()
}

fn price(text: &str) -> Result<Money, &'static str> {
    text.parse().map_err(|_| "a number with at most two decimals")
}

fn order(word: &str) -> Result<Order, &'static str> {
    Order::named(word).ok_or("relevance, price, -price or newest")
}

/// Returns the name of the list to which cursors are bound. It contains the search text, all filters and the order, so
/// that a cursor of one search is refused by any other.
fn list_name(wanted: &ProductSearch) -> String {
    let ProductSearch { text, brand, model, category, min_price, max_price, in_stock, order } = wanted;
    let filters = format!("{brand:?} {model:?} {category:?} {min_price:?} {max_price:?} {in_stock:?}");
    format!("search {order:?} {filters} {}", text.as_str())
}

/// A page of search results from the whole catalogue.
#[derive(Debug, Object, Serialize)]
#[oai(example)]
struct CatalogueFound {
    /// Products in the order of `sort`; the best matches first if it is left out.
    results: Vec<ProductOut>,
    /// Cursor of the next page; null on the last page.
    next_cursor: Option<String>,
}

impl Timed for CatalogueFound {
    fn ends_at(&self) -> Option<Timestamp> {
        first_end(&self.results)
    }
}

impl Example for CatalogueFound {
    fn example() -> Self {
        Self { results: vec![ProductOut::example()], next_cursor: None }
    }
}

/// The reasons why a search fails.
#[derive(Debug)]
struct SearchError(CatalogueError);

impl Refusal for SearchError {
    fn codes() -> Vec<ErrorCode> {
        vec![ErrorCode::TooManyRequests, ErrorCode::TooBusy]
    }

    fn into_error(self) -> ApiError {
        self.0.into_error()
    }
}
