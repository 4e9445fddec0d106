//! `/api/admin/…/delete/`: the deletion of catalogue entries with everything below them.

use std::sync::Arc;

use poem_openapi::{
    Object, OpenApi,
    param::{Path, Query},
    payload::Json,
    types::Example,
};

use crate::{
    api::{
        Group,
        access::Staff,
        error::{ApiResult, refusals},
    },
    app::App,
    catalogue::{self, BelowCounts, Brand, Category, DeleteError, Model, TreeLevel},
    db::StoreError,
    values::codes::FullCode,
};

/// Handlers of `/api/admin/…/delete/`.
pub struct DeleteApi(pub Arc<App>);

#[OpenApi(prefix_path = "/api/admin", tag = "Group::Admin")]
impl DeleteApi {
    /// Deletes a brand with its models, categories and products
    ///
    /// Answers when everything is deleted. Until then no new brand can have the same code.
    #[oai(path = "/brands/delete/:brand_code", method = "delete", operation_id = "deleteBrand")]
    async fn delete_brand(
        &self,
        staff: Staff,
        brand_code: Path<String>,
        /// `true` to only tell what would be deleted; `false` if left out.
        #[oai(default)]
        dry_run: Query<bool>,
    ) -> ApiResult<Json<Deleted>, DeleteError> {
        let code = FullCode::join([brand_code.as_str()]);
        let below = match dry_run.0 {
            true => catalogue::count_below::<Brand>(&self.0, &code).await?,
            false => catalogue::delete_branch::<Brand>(&self.0, &staff.author, &code).await?,
        };
        Ok(Json(Deleted::new(TreeLevel::Brand, below, dry_run.0)))
    }

    /// Deletes a model with its categories and products
    ///
    /// Answers when everything is deleted. Until then no new model can have the same code.
    #[oai(path = "/brands/:brand_code/models/delete/:model_code", method = "delete", operation_id = "deleteModel")]
    async fn delete_model(
        &self,
        staff: Staff,
        brand_code: Path<String>,
        model_code: Path<String>,
        /// `true` to only tell what would be deleted; `false` if left out.
        #[oai(default)]
        dry_run: Query<bool>,
    ) -> ApiResult<Json<Deleted>, DeleteError> {
        let code = FullCode::join([brand_code.as_str(), model_code.as_str()]);
        let below = match dry_run.0 {
            true => catalogue::count_below::<Model>(&self.0, &code).await?,
            false => catalogue::delete_branch::<Model>(&self.0, &staff.author, &code).await?,
        };
        Ok(Json(Deleted::new(TreeLevel::Model, below, dry_run.0)))
    }

    /// Deletes a category with its products
    ///
    /// Answers when everything is deleted. Until then no new category can have the same code.
    #[oai(
        path = "/brands/:brand_code/models/:model_code/categories/delete/:category_code",
        method = "delete",
        operation_id = "deleteCategory"
    )]
    async fn delete_category(
        &self,
        staff: Staff,
        brand_code: Path<String>,
        model_code: Path<String>,
        category_code: Path<String>,
        /// `true` to only tell what would be deleted; `false` if left out.
        #[oai(default)]
        dry_run: Query<bool>,
    ) -> ApiResult<Json<Deleted>, DeleteError> {
        let code = FullCode::join([brand_code.as_str(), model_code.as_str(), category_code.as_str()]);
        let below = match dry_run.0 {
            true => catalogue::count_below::<Category>(&self.0, &code).await?,
            false => catalogue::delete_branch::<Category>(&self.0, &staff.author, &code).await?,
        };
        Ok(Json(Deleted::new(TreeLevel::Category, below, dry_run.0)))
    }

    /// Deletes a product
    #[oai(
        path = "/brands/:brand_code/models/:model_code/categories/:category_code/products/delete/:product_code",
        method = "delete",
        operation_id = "deleteProduct"
    )]
    async fn delete_product(
        &self,
        staff: Staff,
        brand_code: Path<String>,
        model_code: Path<String>,
        category_code: Path<String>,
        product_code: Path<String>,
        /// `true` to only tell what would be deleted; `false` if left out.
        #[oai(default)]
        dry_run: Query<bool>,
    ) -> ApiResult<Json<Deleted>, DeleteError> {
        let code =
            FullCode::join([brand_code.as_str(), model_code.as_str(), category_code.as_str(), product_code.as_str()]);
        match dry_run.0 {
            true => catalogue::require_product(&self.0, &code).await?,
            false => catalogue::delete_product(&self.0, &staff.author, &code).await?,
        }
        Ok(Json(Deleted::new(TreeLevel::Product, BelowCounts::default(), dry_run.0)))
    }
}

/// The answer to a deletion.
#[derive(Debug, Object)]
#[oai(example)]
struct Deleted {
    message: String,
    deleted: DeletedBelow,
}

/// The numbers of entries below it that were deleted with it, or would be.
#[derive(Debug, Object)]
struct DeletedBelow {
    models: u64,
    categories: u64,
    products: u64,
}

impl Deleted {
    fn new(level: TreeLevel, below: BelowCounts, is_dry_run: bool) -> Self {
        let deleted = DeletedBelow { models: below.models, categories: below.categories, products: below.products };
        let done = if is_dry_run { "would be deleted" } else { "deleted successfully" };
        Self { message: format!("{} {done}", level.word()), deleted }
    }
}

impl Example for Deleted {
    fn example() -> Self {
        Self::new(TreeLevel::Brand, BelowCounts { models: 3, categories: 12, products: 480 }, false)
    }
}

refusals! {
    DeleteError {
        cases {
            NotFound(level, text) => [BrandNotFound, ModelNotFound, CategoryNotFound, ProductNotFound]
                ApiError::new(level.into(), text),
        }
        causes { Store: StoreError }
    }
}
