//! `/api/admin/brands/…`: the lists of brands, models and categories for staff.

use std::sync::Arc;

use poem_openapi::{
    Object, OpenApi,
    param::{Path, Query},
    payload::Json,
    types::Example,
};

use super::entries_out::{BrandRowOut, CategoryRowOut, ModelRowOut};
use crate::{
    api::{Group, access::Staff, catalogue::PageRequest, catalogue_out::Showing, error::ApiResult},
    app::App,
    catalogue::{error::CatalogueError, staff_lists},
    values::codes::FullCode,
};

/// Handlers of the lists of brands, models and categories.
pub struct BranchListsApi(pub Arc<App>);

type Text = Query<Option<String>>;

#[OpenApi(prefix_path = "/api/admin", tag = "Group::Admin")]
impl BranchListsApi {
    /// Lists the brands for staff, in the order of their insertion
    #[oai(path = "/brands", method = "get", operation_id = "listBrandsForStaff")]
    async fn brands(
        &self,
        _staff: Staff,
        /// Entries per page: 1 to 100; 20 if left out.
        limit: Text,
        /// The `next_cursor` of the previous page.
        cursor: Text,
    ) -> ApiResult<Json<BrandRowsOut>, CatalogueError> {
        let asked = PageRequest::list(&self.0, None, limit, cursor)?;
        let (page, total) = staff_lists::list_brands(&self.0, asked.slice).await?;
        let (next_cursor, showing) = (asked.next_cursor(&self.0, &page, |row| row.branch.id), Showing::now(&self.0));
        let brands = page.items.into_iter().map(|row| BrandRowOut::new(row, showing)).collect();
        Ok(Json(BrandRowsOut { brands, total, next_cursor }))
    }

    /// Lists the models of a brand for staff, in the order of their insertion
    #[oai(path = "/brands/:brand_code/models", method = "get", operation_id = "listModelsForStaff")]
    async fn models(
        &self,
        _staff: Staff,
        brand_code: Path<String>,
        /// Entries per page: 1 to 100; 20 if left out.
        limit: Text,
        /// The `next_cursor` of the previous page.
        cursor: Text,
    ) -> ApiResult<Json<ModelRowsOut>, CatalogueError> {
        let brand = FullCode::join([brand_code.as_str()]);
        let asked = PageRequest::list(&self.0, Some(&brand), limit, cursor)?;
        let (page, total) = staff_lists::list_models(&self.0, &brand, asked.slice).await?;
        let (next_cursor, showing) = (asked.next_cursor(&self.0, &page, |row| row.branch.id), Showing::now(&self.0));
        let models = page.items.into_iter().map(|row| ModelRowOut::new(row, showing)).collect();
        Ok(Json(ModelRowsOut { models, total, next_cursor }))
    }

    /// Lists the categories of a model for staff, in the order of their insertion
    #[oai(
        path = "/brands/:brand_code/models/:model_code/categories",
        method = "get",
        operation_id = "listCategoriesForStaff"
    )]
    async fn categories(
        &self,
        _staff: Staff,
        brand_code: Path<String>,
        model_code: Path<String>,
        /// Entries per page: 1 to 100; 20 if left out.
        limit: Text,
        /// The `next_cursor` of the previous page.
        cursor: Text,
    ) -> ApiResult<Json<CategoryRowsOut>, CatalogueError> {
        let model = FullCode::join([brand_code.as_str(), model_code.as_str()]);
        let asked = PageRequest::list(&self.0, Some(&model), limit, cursor)?;
        let (page, total) = staff_lists::list_categories(&self.0, &model, asked.slice).await?;
        let (next_cursor, showing) = (asked.next_cursor(&self.0, &page, |row| row.branch.id), Showing::now(&self.0));
        let categories = page.items.into_iter().map(|row| CategoryRowOut::new(row, showing)).collect();
        Ok(Json(CategoryRowsOut { categories, total, next_cursor }))
    }
}

macro_rules! pages {
    ($($page:ident, $name:literal, $items:ident, $row:ty;)+) => {$(
        /// A page of a list for staff.
        #[derive(Debug, Object)]
        #[oai(rename = $name, example)]
        struct $page {
            $items: Vec<$row>,
            /// Number of entries on all pages together.
            total: u64,
            /// Cursor of the next page; null on the last page.
            next_cursor: Option<String>,
        }

        impl Example for $page {
            fn example() -> Self {
                Self { $items: vec![<$row>::example()], total: 1, next_cursor: None }
            }
        }
    )+};
}

pages! {
    BrandRowsOut, "BrandRows", brands, BrandRowOut;
    ModelRowsOut, "ModelRows", models, ModelRowOut;
    CategoryRowsOut, "CategoryRows", categories, CategoryRowOut;
}
