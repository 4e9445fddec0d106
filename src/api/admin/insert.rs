//! `/api/admin/…/insert/`: new entries of the catalogue.

use std::sync::Arc;

use poem_openapi::{ApiResponse, OpenApi, param::Path, payload::Json};

use super::{
    entries_out::{
        BrandEntryOut as BrandOut, CategoryEntryOut as CategoryOut, ModelEntryOut as ModelOut,
        ProductEntryOut as ProductOut,
    },
    new_entries::{BrandIn, CategoryIn, ModelIn, ProductIn},
    replies::{BrandInserted, CategoryInserted, ModelInserted, ProductInserted},
};
use crate::{
    api::{
        Group,
        access::Staff,
        catalogue_out::Showing,
        error::{ApiResult, refusals},
        upload::FormOrJson,
    },
    app::App,
    catalogue::{self, InsertError},
    db::StoreError,
    images::ImageError,
    values::codes::FullCode,
};

/// Handlers of `/api/admin/…/insert/`.
pub struct InsertApi(pub Arc<App>);

#[OpenApi(prefix_path = "/api/admin", tag = "Group::Admin")]
impl InsertApi {
    /// Inserts a brand
    #[oai(path = "/brands/insert", method = "post", operation_id = "insertBrand")]
    async fn insert_brand(
        &self,
        staff: Staff,
        body: FormOrJson<BrandIn>,
    ) -> ApiResult<Inserted<BrandInserted>, InsertError> {
        let new = body.check(&self.0, BrandIn::check).await?;
        let brand = catalogue::insert_brand(&self.0, &staff.author, new).await?;
        Ok(Inserted::Created(Json(BrandInserted::new(BrandOut::new(brand, Showing::now(&self.0))))))
    }

    /// Inserts a model of a brand
    #[oai(path = "/brands/:brand_code/models/insert", method = "post", operation_id = "insertModel")]
    async fn insert_model(
        &self,
        staff: Staff,
        brand_code: Path<String>,
        body: FormOrJson<ModelIn>,
    ) -> ApiResult<Inserted<ModelInserted>, InsertError> {
        let new = body.check(&self.0, ModelIn::check).await?;
        let parent = FullCode::join([brand_code.as_str()]);
        let model = catalogue::insert_model(&self.0, &staff.author, &parent, new).await?;
        Ok(Inserted::Created(Json(ModelInserted::new(ModelOut::new(model, Showing::now(&self.0))))))
    }

    /// Inserts a category of a model
    #[oai(
        path = "/brands/:brand_code/models/:model_code/categories/insert",
        method = "post",
        operation_id = "insertCategory"
    )]
    async fn insert_category(
        &self,
        staff: Staff,
        brand_code: Path<String>,
        model_code: Path<String>,
        body: FormOrJson<CategoryIn>,
    ) -> ApiResult<Inserted<CategoryInserted>, InsertError> {
        let new = body.check(&self.0, CategoryIn::check).await?;
        let parent = FullCode::join([brand_code.as_str(), model_code.as_str()]);
        let category = catalogue::insert_category(&self.0, &staff.author, &parent, new).await?;
        Ok(Inserted::Created(Json(CategoryInserted::new(CategoryOut::new(category, Showing::now(&self.0))))))
    }

    /// Inserts a product of a category
    #[oai(
        path = "/brands/:brand_code/models/:model_code/categories/:category_code/products/insert",
        method = "post",
        operation_id = "insertProduct"
    )]
    async fn insert_product(
        &self,
        staff: Staff,
        brand_code: Path<String>,
        model_code: Path<String>,
        category_code: Path<String>,
        body: FormOrJson<ProductIn>,
    ) -> ApiResult<Inserted<ProductInserted>, InsertError> {
        let new = body.check(&self.0, ProductIn::check).await?;
        let parent = FullCode::join([brand_code.as_str(), model_code.as_str(), category_code.as_str()]);
        let product = catalogue::insert_product(&self.0, &staff.author, &parent, new).await?;
        Ok(Inserted::Created(Json(ProductInserted::new(ProductOut::new(product, Showing::now(&self.0))))))
    }
}

#[derive(ApiResponse)]
pub(super) enum Inserted<T: poem_openapi::types::ToJSON> {
    /// The entry was inserted.
    #[oai(status = 201)]
    Created(Json<T>),
}

refusals! {
    InsertError {
        cases {
            ParentNotFound(level, text) => [BrandNotFound, ModelNotFound, CategoryNotFound] ApiError::new(level.into(), text),
            CodeTaken(level, text) => [CodeTaken]
                ApiError::new(ErrorCode::CodeTaken, text).with_field(format!("{}_code", level.word())),
        }
        causes { Image: ImageError, Store: StoreError }
    }
}
