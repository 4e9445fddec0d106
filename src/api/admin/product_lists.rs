//! `/api/admin/products/` and `/api/admin/brands/…/products/`: the lists of products for staff, hidden ones too.

use std::sync::Arc;

use poem_openapi::{Object, OpenApi, param::Path, payload::Json, types::Example};

use super::{
    entries_out::ProductRowOut,
    product_filter::{ProductFilterQuery, Text, given},
};
use crate::{
    api::{
        Group,
        access::Staff,
        catalogue::PageRequest,
        catalogue_out::Showing,
        error::{ApiError, ApiResult},
        paging,
    },
    app::App,
    catalogue::{
        ProductDoc,
        error::CatalogueError,
        rules::{
            product_filter::{self, ProductFilter},
            product_list::{ListOrder, ListPlace, Total},
        },
        staff_lists,
    },
    db::StoreError,
    values::{
        codes::FullCode,
        invalid::{Faults, InvalidFields},
        paging::Slice,
    },
};

/// Handlers of the lists of products.
pub struct ProductListsApi(pub Arc<App>);

#[OpenApi(prefix_path = "/api/admin", tag = "Group::Admin")]
impl ProductListsApi {
    /// Lists the products of the whole catalogue for staff
    ///
    /// A product must meet all conditions. Codes are taken in any case. An empty parameter counts as left out.
    #[oai(path = "/products", method = "get", operation_id = "listAllProducts")]
    #[allow(clippy::too_many_arguments, reason = "each is a parameter of the query")]
    async fn all_products(
        &self,
        _staff: Staff,
        /// Plain text of 1 to 100 characters, whatever the case and the accents. The full code or the own code of a
        /// product begins with it, or each of its words is the beginning of a word of the product's name.
        q: Text,
        /// Only products of the brand with this code.
        brand: Text,
        /// Only products of models with this own code, of any brand.
        model: Text,
        /// Only products of categories with this own code, of any model.
        category: Text,
        /// `true` for visible products only; `false` for hidden ones only.
        is_active: Text,
        /// `true` for products in stock only; `false` for products that are out of stock only.
        in_stock: Text,
        /// Only products with at most this many pieces in stock.
        stock_max: Text,
        /// `true` for products with an offer only, also one that is over or still to begin; `false` for the others only.
        has_offer: Text,
        /// Only products that were changed at this time or later: RFC 3339, a date such as `2024-11-30` (its beginning
        /// in UTC), or Unix seconds.
        updated_from: Text,
        /// `code`, `name`, `price` (the list price), `stock` or `updated_at`, with `-` in front for descending order;
        /// `code` if left out. Case and accents of names make no difference.
        sort: Text,
        /// Entries per page: 1 to 100; 20 if left out.
        limit: Text,
        /// The `next_cursor` of the previous page.
        cursor: Text,
    ) -> ApiResult<Json<ProductRowsOut>, StoreError> {
        let conditions =
            ProductFilterQuery { q, brand, model, category, is_active, in_stock, stock_max, has_offer, updated_from };
        let asked = ListRequest::check(&self.0, conditions, sort, limit, cursor).map_err(ApiError::from)?;
        let (page, total) = staff_lists::list_products(&self.0, &asked.filter, asked.order, &asked.slice).await?;
        let next_cursor = paging::next_cursor(&self.0, &asked.list, &page, |found| found.place.bytes());
        let products = page.items.into_iter().map(|found| found.product).collect();
        Ok(Json(self.page(products, total, next_cursor).await?))
    }

    /// Lists the products of a category for staff, in the order of their insertion
    #[oai(
        path = "/brands/:brand_code/models/:model_code/categories/:category_code/products",
        method = "get",
        operation_id = "listProductsForStaff"
    )]
    #[allow(clippy::too_many_arguments, reason = "a path of three codes, two parameters, and who asks")]
    async fn products(
        &self,
        _staff: Staff,
        brand_code: Path<String>,
        model_code: Path<String>,
        category_code: Path<String>,
        /// Entries per page: 1 to 100; 20 if left out.
        limit: Text,
        /// The `next_cursor` of the previous page.
        cursor: Text,
    ) -> ApiResult<Json<ProductRowsOut>, CatalogueError> {
        let category = FullCode::join([brand_code.as_str(), model_code.as_str(), category_code.as_str()]);
        let asked = PageRequest::list(&self.0, Some(&category), limit, cursor)?;
        let (page, total) = staff_lists::list_category(&self.0, &category, asked.slice).await?;
        let next_cursor = asked.next_cursor(&self.0, &page, |product| product.id);
        Ok(Json(self.page(page.items, total, next_cursor).await.map_err(CatalogueError::from)?))
    }
}

impl ProductListsApi {
    async fn page(
        &self,
        products: Vec<ProductDoc>,
        total: Total,
        next_cursor: Option<String>,
    ) -> Result<ProductRowsOut, StoreError> {
        let names = staff_lists::names_above(&self.0, products.iter()).await?;
        let showing = Showing::now(&self.0);
        let products = products.into_iter().map(|product| ProductRowOut::new(product, &names, showing)).collect();
        Ok(ProductRowsOut { products, total: total.count, total_is_capped: total.is_capped, next_cursor })
    }
}

/// What a caller asks for.
struct ListRequest {
    filter: ProductFilter,
    order: ListOrder,
    /// The name of the list to which cursors are bound. It contains the conditions and the order, so that a cursor of
    /// one list is refused by any other.
    list: String,
    slice: Slice<ListPlace>,
}

impl ListRequest {
    /// Checks all parameters. Fails with all faults at once; the cursor is only checked if there are no others, because
    /// it belongs to one list.
    fn check(
        app: &App,
        conditions: ProductFilterQuery,
        sort: Text,
        limit: Text,
        cursor: Text,
    ) -> Result<Self, InvalidFields> {
        let mut faults = Faults::default();
        let filter = conditions.checked(&mut faults);
        let order = faults.sort_out(product_filter::read("sort", given(sort).as_deref(), order));
        let limit = faults.sort_out(Some(paging::entries(limit.0)));
        let (order, limit) = faults.none_or((order.unwrap_or(ListOrder::USUAL), limit.unwrap_or_default()))?;
        let list = format!("products {order:?} {filter:?}");
        let mut faults = Faults::default();
        let after = faults.sort_out(paging::place(app, &list, cursor.0));
        faults.none_or(Self { filter, order, list, slice: Slice { after, limit } })
    }
}

fn order(word: &str) -> Result<ListOrder, &'static str> {
    ListOrder::named(word).ok_or("code, name, price, stock or updated_at, with - in front for descending order")
}

/// A page of products for staff.
#[derive(Debug, Object)]
#[oai(rename = "ProductRows", example)]
struct ProductRowsOut {
    products: Vec<ProductRowOut>,
    /// Number of entries on all pages together; 10,000 if there are more.
    total: u64,
    /// Whether there are more entries than `total`.
    total_is_capped: bool,
    /// Cursor of the next page; null on the last page.
    next_cursor: Option<String>,
}

impl Example for ProductRowsOut {
    fn example() -> Self {
        Self { products: vec![ProductRowOut::example()], total: 1, total_is_capped: false, next_cursor: None }
    }
}
