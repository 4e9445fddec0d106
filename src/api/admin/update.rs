//! `/api/admin/…/update/`: changes of catalogue entries.

use std::sync::Arc;

use poem_openapi::{
    ApiResponse, OpenApi,
    param::{Header, Path},
    payload::Json,
    types::ToJSON,
};

use super::{
    changes::{BrandChangeIn, CategoryChangeIn, ModelChangeIn, ProductChangeIn},
    entries_out::{
        BrandEntryOut as BrandOut, CategoryEntryOut as CategoryOut, ModelEntryOut as ModelOut,
        ProductEntryOut as ProductOut,
    },
    replies::{BrandUpdated, CategoryUpdated, ModelUpdated, ProductUpdated},
};
use crate::{
    api::{
        Group,
        access::Staff,
        catalogue::{one_brand, one_category, one_model, one_product},
        catalogue_out::Showing,
        error::{ApiError, ApiResult, ErrorCode, refusals},
        upload::FormOrJson,
    },
    app::App,
    catalogue::{self, Node, Precondition, Rendered, UpdateError},
    db::StoreError,
    images::ImageError,
    values::codes::FullCode,
};

/// The header `If-Match`: entity tags of the states in which the entry may be changed (RFC 9110, section 13.1.1).
type IfMatch = Header<Option<String>>;

/// Handlers of `/api/admin/…/update/`.
pub struct UpdateApi(pub Arc<App>);

#[OpenApi(prefix_path = "/api/admin", tag = "Group::Admin")]
impl UpdateApi {
    /// Changes a brand
    #[oai(path = "/brands/update/:brand_code", method = "put", operation_id = "updateBrand")]
    async fn update_brand(
        &self,
        staff: Staff,
        brand_code: Path<String>,
        /// The `ETag` with which the brand was read. If the brand has changed since then, the call fails with 412.
        #[oai(name = "If-Match")]
        if_match: IfMatch,
        body: FormOrJson<BrandChangeIn>,
    ) -> ApiResult<Updated<BrandUpdated>, UpdateError> {
        let code = FullCode::join([brand_code.as_str()]);
        given(&body)?;
        let change = body.check(&self.0, BrandChangeIn::check).await?;
        let precondition = precondition(&self.0, if_match, one_brand);
        let brand = catalogue::update_branch(&self.0, &staff.author, &code, change, precondition).await?;
        Ok(updated(&self.0, brand, one_brand, |brand, showing| BrandUpdated::new(BrandOut::new(brand, showing))))
    }

    /// Changes a model
    #[oai(path = "/brands/:brand_code/models/update/:model_code", method = "put", operation_id = "updateModel")]
    async fn update_model(
        &self,
        staff: Staff,
        brand_code: Path<String>,
        model_code: Path<String>,
        /// The `ETag` with which the model was read. If the model has changed since then, the call fails with 412.
        #[oai(name = "If-Match")]
        if_match: IfMatch,
        body: FormOrJson<ModelChangeIn>,
    ) -> ApiResult<Updated<ModelUpdated>, UpdateError> {
        let code = FullCode::join([brand_code.as_str(), model_code.as_str()]);
        given(&body)?;
        let change = body.check(&self.0, ModelChangeIn::check).await?;
        let precondition = precondition(&self.0, if_match, one_model);
        let model = catalogue::update_branch(&self.0, &staff.author, &code, change, precondition).await?;
        Ok(updated(&self.0, model, one_model, |model, showing| ModelUpdated::new(ModelOut::new(model, showing))))
    }

    /// Changes a category
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
        /// The `ETag` with which the category was read. If the category has changed since then, the call fails with
        /// 412.
        #[oai(name = "If-Match")]
        if_match: IfMatch,
        body: FormOrJson<CategoryChangeIn>,
    ) -> ApiResult<Updated<CategoryUpdated>, UpdateError> {
        let code = FullCode::join([brand_code.as_str(), model_code.as_str(), category_code.as_str()]);
        given(&body)?;
        let change = body.check(&self.0, CategoryChangeIn::check).await?;
        let precondition = precondition(&self.0, if_match, one_category);
        let category = catalogue::update_branch(&self.0, &staff.author, &code, change, precondition).await?;
        Ok(updated(&self.0, category, one_category, |category, showing| {
            CategoryUpdated::new(CategoryOut::new(category, showing))
        }))
    }

    /// Changes a product
    ///
    /// `stock_delta` adds pieces to the stock or removes them. It is added to the stock at the moment of the write, so
    /// changes at the same time are not lost.
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
        /// The `ETag` with which the product was read. If the product has changed since then, the call fails with 412.
        #[oai(name = "If-Match")]
        if_match: IfMatch,
        body: FormOrJson<ProductChangeIn>,
    ) -> ApiResult<Updated<ProductUpdated>, UpdateError> {
        let code =
            FullCode::join([brand_code.as_str(), model_code.as_str(), category_code.as_str(), product_code.as_str()]);
        given(&body)?;
        let change = body.check(&self.0, ProductChangeIn::check).await?;
        let precondition = precondition(&self.0, if_match, one_product);
        let product = catalogue::update_product(&self.0, &staff.author, &code, change, precondition).await?;
        Ok(updated(&self.0, product, one_product, |product, showing| {
            ProductUpdated::new(ProductOut::new(product, showing))
        }))
    }
}

/// The answer to a change.
#[derive(ApiResponse)]
pub(super) enum Updated<T: ToJSON> {
    /// The entry was changed.
    #[oai(status = 200)]
    Done(
        Json<T>,
        /// Names the new state; for `If-Match` of the next change. A read of the entry has the same tag.
        #[oai(header = "ETag")]
        String,
    ),
}

/// Returns the answer that shows the new state of an entry. `one` renders the answer of a read, whose tag it has.
pub(super) fn updated<N: Node, T: ToJSON>(
    app: &App,
    node: N,
    one: fn(N, Showing<'_>) -> Rendered,
    reply: impl FnOnce(N, Showing<'_>) -> T,
) -> Updated<T> {
    let etag = etag_of(app, &node, one);
    Updated::Done(Json(reply(node, Showing::now(app))), etag)
}

/// Returns the tag that a read of the entry has. `one` renders the answer of the read.
pub(super) fn etag_of<N: Node>(app: &App, node: &N, one: fn(N, Showing<'_>) -> Rendered) -> String {
    one(node.clone(), Showing::now(app)).etag.to_string()
}

fn given<T>(body: &FormOrJson<T>) -> Result<(), ApiError> {
    if body.is_empty { Err(ApiError::new(ErrorCode::InvalidInput, "no fields provided for update")) } else { Ok(()) }
}

/// Returns the condition that `If-Match` demands, or `None` without that header. It holds for a state if an answer that
/// has shown the state at any moment since its last change has one of the tags; `one` renders that answer. An offer that
/// has begun or ended since the read is no change.
pub(super) fn precondition<N: Node>(
    app: &Arc<App>,
    if_match: IfMatch,
    one: fn(N, Showing<'_>) -> Rendered,
) -> Option<Precondition<N>> {
    let (app, tags) = (Arc::clone(app), if_match.0?);
    Some(Arc::new(move |node: &N| {
        let moments = node.moments_since_change(app.clock.now());
        moments.into_iter().any(|moment| one(node.clone(), Showing::at(&app, moment)).etag.is_named_by(&tags))
    }))
}

refusals! {
    UpdateError {
        codes {
            Changed => StateChanged,
            NotEnoughStock => NotEnoughStock ["stock_delta"],
            TooMuchStock => InvalidInput ["stock_delta"],
        }
        cases {
            NotFound(level, text) => [BrandNotFound, ModelNotFound, CategoryNotFound, ProductNotFound]
                ApiError::new(level.into(), text),
        }
        causes { Image: ImageError, Store: StoreError }
    }
}
