//! `/api/admin/…/update/`: changing the catalogue.

use std::sync::Arc;

use poem_openapi::{
    OpenApi,
    param::{Header, Path},
    payload::Json,
};

use super::{
    changes::{BrandChangeIn, CategoryChangeIn, ModelChangeIn, ProductChangeIn},
    replies::{BrandUpdated, CategoryUpdated, ModelUpdated, ProductUpdated},
};
use crate::{
    api::{
        Group,
        access::Staff,
        catalogue::{one_brand, one_category, one_model, one_product},
        error::{ApiError, ApiResult, ErrorCode, Refusal},
        upload::FormOrJson,
    },
    app::App,
    catalogue::{self, Precondition, Rendered, UpdateError, store::tree::Node},
    values::codes::FullCode,
};

/// The entity tag of the state that is to be changed (RFC 9110, section 13.1.1).
type IfMatch = Header<Option<String>>;

/// The handlers.
pub struct UpdateApi {
    app: Arc<App>,
}

#[OpenApi(prefix_path = "/api/admin", tag = "Group::Admin")]
impl UpdateApi {
    /// Change a brand
    #[oai(path = "/brands/update/:brand_code", method = "put", operation_id = "updateBrand")]
    async fn update_brand(
        &self,
        staff: Staff,
        brand_code: Path<String>,
        /// The `ETag` with which the brand was read; in another state it is left alone.
        #[oai(name = "If-Match")]
        if_match: IfMatch,
        body: FormOrJson<BrandChangeIn>,
    ) -> ApiResult<Json<BrandUpdated>, UpdateError> {
        let code = FullCode::join([brand_code.as_str()]);
        given(&body)?;
        let change = body.fields.check(body.image).map_err(ApiError::from)?;
        let precondition = precondition(if_match, one_brand);
        let brand = catalogue::update_branch(&self.app, &staff.author, &code, change, precondition).await?;
        Ok(Json(BrandUpdated::new(brand.into())))
    }

    /// Change a model
    #[oai(path = "/brands/:brand_code/models/update/:model_code", method = "put", operation_id = "updateModel")]
    async fn update_model(
        &self,
        staff: Staff,
        brand_code: Path<String>,
        model_code: Path<String>,
        /// The `ETag` with which the model was read; in another state it is left alone.
        #[oai(name = "If-Match")]
        if_match: IfMatch,
        body: FormOrJson<ModelChangeIn>,
    ) -> ApiResult<Json<ModelUpdated>, UpdateError> {
        let code = FullCode::join([brand_code.as_str(), model_code.as_str()]);
        given(&body)?;
        let change = body.fields.check(body.image).map_err(ApiError::from)?;
        let precondition = precondition(if_match, one_model);
        let model = catalogue::update_branch(&self.app, &staff.author, &code, change, precondition).await?;
        Ok(Json(ModelUpdated::new(model.into())))
    }

    /// Change a category
    #[oai(
        path = "/brands/:brand_code/models/:model_code/categories/update/:category_code",
        method = "put",
        operation_id = "updateCategory"
    )]
    async fn update_category(
        &self,
        staff: Staff,
        brand_code: Path<String>,
        model_code: Path<String>,
        category_code: Path<String>,
        /// The `ETag` with which the category was read; in another state it is left alone.
        #[oai(name = "If-Match")]
        if_match: IfMatch,
        body: FormOrJson<CategoryChangeIn>,
    ) -> ApiResult<Json<CategoryUpdated>, UpdateError> {
        let code = FullCode::join([brand_code.as_str(), model_code.as_str(), category_code.as_str()]);
        given(&body)?;
        let change = body.fields.check(body.image).map_err(ApiError::from)?;
        let precondition = precondition(if_match, one_category);
        let category = catalogue::update_branch(&self.app, &staff.author, &code, change, precondition).await?;
        Ok(Json(CategoryUpdated::new(category.into())))
    }

    /// Change a product
    ///
    /// `stock_delta` books pieces in and out, whoever else books at the same time.
    #[oai(
        path = "/brands/:brand_code/models/:model_code/categories/:category_code/products/update/:product_code",
        method = "put",
        operation_id = "updateProduct"
    )]
    #[allow(clippy::too_many_arguments, reason = "each is a part of the request")]
    async fn update_product(
        &self,
        staff: Staff,
        brand_code: Path<String>,
        model_code: Path<String>,
        category_code: Path<String>,
        product_code: Path<String>,
        /// The `ETag` with which the product was read; in another state it is left alone.
        #[oai(name = "If-Match")]
        if_match: IfMatch,
        body: FormOrJson<ProductChangeIn>,
    ) -> ApiResult<Json<ProductUpdated>, UpdateError> {
        let code =
            FullCode::join([brand_code.as_str(), model_code.as_str(), category_code.as_str(), product_code.as_str()]);
        given(&body)?;
        let change = body.fields.check(body.image).map_err(ApiError::from)?;
        let precondition = precondition(if_match, one_product);
        let product = catalogue::update_product(&self.app, &staff.author, &code, change, precondition).await?;
        Ok(Json(ProductUpdated::new(product.into())))
    }
}

impl UpdateApi {
    /// Handlers over `app`.
    pub fn new(app: &Arc<App>) -> Self {
        Self { app: Arc::clone(app) }
    }
}

fn given<T>(body: &FormOrJson<T>) -> Result<(), ApiError> {
    if body.is_empty { Err(ApiError::new(ErrorCode::InvalidInput, "no fields provided for update")) } else { Ok(()) }
}

/// Holds for the state whose answer has one of the tags; `one` makes the answer that shows it.
fn precondition<N: Node>(if_match: IfMatch, one: fn(N) -> Rendered) -> Option<Precondition<N>> {
    let tags = if_match.0?;
    Some(Arc::new(move |node: &N| one(node.clone()).etag.is_named_by(&tags)))
}

impl Refusal for UpdateError {
    const CODES: &'static [ErrorCode] = &[
        ErrorCode::InvalidInput,
        ErrorCode::BrandNotFound,
        ErrorCode::ModelNotFound,
        ErrorCode::CategoryNotFound,
        ErrorCode::ProductNotFound,
        ErrorCode::NotEnoughStock,
        ErrorCode::StateChanged,
        ErrorCode::ImageStoreUnavailable,
    ];

    fn into_error(self) -> ApiError {
        let text = self.to_string();
        match self {
            Self::NotFound(level) => ApiError::new(level.into(), text),
            Self::Changed(_) => ApiError::new(ErrorCode::StateChanged, text),
            Self::NotEnoughStock(_) => ApiError::new(ErrorCode::NotEnoughStock, text).with_field("stock_delta"),
            Self::TooMuchStock => ApiError::new(ErrorCode::InvalidInput, text).with_field("stock_delta"),
            Self::Image(error) => error.into_error(),
            Self::Store(error) => error.into(),
        }
    }
}
