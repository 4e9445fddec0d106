//! `/api/utils/`: the public catalogue, four levels deep.

use std::sync::Arc;

use poem_openapi::{
    Object, OpenApi,
    param::{Path, Query},
    payload::Json,
    types::Example,
};

use super::{
    Group,
    catalogue_out::{BrandOut, CategoryOut, ModelOut, ProductOut},
    paging::{next_cursor, slice},
};
use crate::{
    app::App,
    domain::codes::FullCode,
    error::{ApiError, ApiResult, ErrorCode, Refusal},
    services::catalogue::{self, CatalogueError, TreeLevel},
};

/// The handlers.
pub struct UtilsApi {
    app: Arc<App>,
}

type Text = Query<Option<String>>;

#[OpenApi(prefix_path = "/api/utils", tag = "Group::Utils")]
impl UtilsApi {
    /// All brands
    #[oai(path = "/brands", method = "get", operation_id = "listBrands")]
    async fn brands(
        &self,
        /// 1 to 100; 20 when left out.
        limit: Text,
        /// The `next_cursor` of the page before.
        cursor: Text,
    ) -> ApiResult<Json<BrandsOut>, CatalogueError> {
        let list = "brands";
        let slice = slice(&self.app, list, limit.0, cursor.0).map_err(ApiError::from)?;
        let page = catalogue::brands(&self.app, slice).await?;
        let next_cursor = next_cursor(&self.app, list, &page, |doc| doc.id.bytes());
        Ok(Json(BrandsOut { brands: page.items.into_iter().map(BrandOut::from).collect(), next_cursor }))
    }

    /// One brand
    #[oai(path = "/brands/:brand_code", method = "get", operation_id = "readBrand")]
    async fn brand(&self, brand_code: Path<String>) -> ApiResult<Json<BrandReply>, CatalogueError> {
        let code = FullCode::join([brand_code.as_str()]);
        Ok(Json(BrandReply { brand: catalogue::brand(&self.app, &code).await?.into() }))
    }

    /// The models of a brand
    #[oai(path = "/brands/:brand_code/models", method = "get", operation_id = "listModels")]
    async fn models(
        &self,
        brand_code: Path<String>,
        /// 1 to 100; 20 when left out.
        limit: Text,
        /// The `next_cursor` of the page before.
        cursor: Text,
    ) -> ApiResult<Json<ModelsOut>, CatalogueError> {
        let parent = FullCode::join([brand_code.as_str()]);
        let slice = slice(&self.app, parent.as_str(), limit.0, cursor.0).map_err(ApiError::from)?;
        let page = catalogue::models(&self.app, &parent, slice).await?;
        let next_cursor = next_cursor(&self.app, parent.as_str(), &page, |doc| doc.id.bytes());
        Ok(Json(ModelsOut { models: page.items.into_iter().map(ModelOut::from).collect(), next_cursor }))
    }

    /// One model
    #[oai(path = "/brands/:brand_code/models/:model_code", method = "get", operation_id = "readModel")]
    async fn model(
        &self,
        brand_code: Path<String>,
        model_code: Path<String>,
    ) -> ApiResult<Json<ModelReply>, CatalogueError> {
        let code = FullCode::join([brand_code.as_str(), model_code.as_str()]);
        Ok(Json(ModelReply { model: catalogue::model(&self.app, &code).await?.into() }))
    }

    /// The categories of a model
    #[oai(path = "/brands/:brand_code/models/:model_code/categories", method = "get", operation_id = "listCategories")]
    async fn categories(
        &self,
        brand_code: Path<String>,
        model_code: Path<String>,
        /// 1 to 100; 20 when left out.
        limit: Text,
        /// The `next_cursor` of the page before.
        cursor: Text,
    ) -> ApiResult<Json<CategoriesOut>, CatalogueError> {
        let parent = FullCode::join([brand_code.as_str(), model_code.as_str()]);
        let slice = slice(&self.app, parent.as_str(), limit.0, cursor.0).map_err(ApiError::from)?;
        let page = catalogue::categories(&self.app, &parent, slice).await?;
        let next_cursor = next_cursor(&self.app, parent.as_str(), &page, |doc| doc.id.bytes());
        Ok(Json(CategoriesOut { categories: page.items.into_iter().map(CategoryOut::from).collect(), next_cursor }))
    }

    /// One category
    #[oai(
        path = "/brands/:brand_code/models/:model_code/categories/:category_code",
        method = "get",
        operation_id = "readCategory"
    )]
    async fn category(
        &self,
        brand_code: Path<String>,
        model_code: Path<String>,
        category_code: Path<String>,
    ) -> ApiResult<Json<CategoryReply>, CatalogueError> {
        let code = FullCode::join([brand_code.as_str(), model_code.as_str(), category_code.as_str()]);
        Ok(Json(CategoryReply { category: catalogue::category(&self.app, &code).await?.into() }))
    }

    /// The products of a category
    #[oai(
        path = "/brands/:brand_code/models/:model_code/categories/:category_code/products",
        method = "get",
        operation_id = "listProducts"
    )]
    async fn products(
        &self,
        brand_code: Path<String>,
        model_code: Path<String>,
        category_code: Path<String>,
        /// 1 to 100; 20 when left out.
        limit: Text,
        /// The `next_cursor` of the page before.
        cursor: Text,
    ) -> ApiResult<Json<ProductsOut>, CatalogueError> {
        let parent = FullCode::join([brand_code.as_str(), model_code.as_str(), category_code.as_str()]);
        let slice = slice(&self.app, parent.as_str(), limit.0, cursor.0).map_err(ApiError::from)?;
        let page = catalogue::products(&self.app, &parent, slice).await?;
        let next_cursor = next_cursor(&self.app, parent.as_str(), &page, |doc| doc.id.bytes());
        Ok(Json(ProductsOut { products: page.items.into_iter().map(ProductOut::from).collect(), next_cursor }))
    }

    /// One product
    #[oai(
        path = "/brands/:brand_code/models/:model_code/categories/:category_code/products/:product_code",
        method = "get",
        operation_id = "readProduct"
    )]
    async fn product(
        &self,
        brand_code: Path<String>,
        model_code: Path<String>,
        category_code: Path<String>,
        product_code: Path<String>,
    ) -> ApiResult<Json<ProductReply>, CatalogueError> {
        let parent = [brand_code.as_str(), model_code.as_str(), category_code.as_str(), product_code.as_str()];
        Ok(Json(ProductReply { product: catalogue::product(&self.app, &FullCode::join(parent)).await?.into() }))
    }
}

impl UtilsApi {
    /// Handlers over `app`.
    pub fn new(app: &Arc<App>) -> Self {
        Self { app: Arc::clone(app) }
    }
}

/// Declares the answers of one level: a page of it, and a single one.
macro_rules! replies {
    ($($page:ident, $items:ident, $reply:ident, $item:ident, $out:ty;)+) => {$(
        /// A page of the list.
        #[derive(Debug, Object)]
        #[oai(example)]
        struct $page {
            $items: Vec<$out>,
            /// Where the next page starts; null at the end.
            next_cursor: Option<String>,
        }

        impl Example for $page {
            fn example() -> Self {
                Self { $items: vec![<$out>::example()], next_cursor: None }
            }
        }

        /// A single one.
        #[derive(Debug, Object)]
        #[oai(example)]
        struct $reply {
            $item: $out,
        }

        impl Example for $reply {
            fn example() -> Self {
                Self { $item: <$out>::example() }
            }
        }
    )+};
}

replies! {
    BrandsOut, brands, BrandReply, brand, BrandOut;
    ModelsOut, models, ModelReply, model, ModelOut;
    CategoriesOut, categories, CategoryReply, category, CategoryOut;
    ProductsOut, products, ProductReply, product, ProductOut;
}

impl From<TreeLevel> for ErrorCode {
    fn from(level: TreeLevel) -> Self {
        match level {
            TreeLevel::Brand => Self::BrandNotFound,
            TreeLevel::Model => Self::ModelNotFound,
            TreeLevel::Category => Self::CategoryNotFound,
            TreeLevel::Product => Self::ProductNotFound,
        }
    }
}

impl Refusal for CatalogueError {
    const CODES: &'static [ErrorCode] = &[
        ErrorCode::InvalidInput,
        ErrorCode::BrandNotFound,
        ErrorCode::ModelNotFound,
        ErrorCode::CategoryNotFound,
        ErrorCode::ProductNotFound,
    ];

    fn into_error(self) -> ApiError {
        let text = self.to_string();
        match self {
            Self::NotFound(level) => ApiError::new(level.into(), text),
            Self::Store(error) => error.into(),
        }
    }
}
