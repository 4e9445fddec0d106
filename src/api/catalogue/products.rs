//! `/api/utils/…/products/…` and `/api/utils/products/{code}/`: the products. Staff also see hidden ones.

use std::sync::Arc;

use poem_openapi::{OpenApi, param::Path};

use super::{
    Answer, Text, by_viewer, one_product,
    page_request::PageRequest,
    rendered,
    replies::{ProductReply, ProductsFound, ProductsOut},
};
use crate::{
    api::{
        Group,
        access::Viewer,
        catalogue_out::{ProductOut, Showing},
        etag::{IfNoneMatch, Tagged},
    },
    app::App,
    catalogue::{self, TreeLevel, View, Visibility, error::CatalogueError},
    values::{codes::FullCode, ids::ProductId},
};

/// Handlers of the calls about products.
pub struct ProductsApi(pub Arc<App>);

#[OpenApi(prefix_path = "/api/utils", tag = "Group::Utils")]
impl ProductsApi {
    /// Lists the products of a category
    ///
    /// Staff also see hidden products.
    #[oai(
        path = "/brands/:brand_code/models/:model_code/categories/:category_code/products",
        method = "get",
        operation_id = "listProducts"
    )]
    #[allow(clippy::too_many_arguments, reason = "a path of three codes, two parameters, and who asks")]
    async fn products(
        &self,
        viewer: Viewer,
        brand_code: Path<String>,
        model_code: Path<String>,
        category_code: Path<String>,
        /// Entries per page: 1 to 100; 20 if left out.
        limit: Text,
        /// The `next_cursor` of the previous page.
        cursor: Text,
        known: IfNoneMatch,
    ) -> Answer<ProductsOut> {
        let category = FullCode::join([brand_code.as_str(), model_code.as_str(), category_code.as_str()]);
        let asked = PageRequest::list(&self.0, Some(&category), limit, cursor)?;
        let view = asked.view();
        let load = |shown| async move {
            let (products, next_cursor) = self.page(&category, &asked, shown).await?;
            Ok(rendered(&ProductsOut { products, next_cursor }))
        };
        Ok(by_viewer(&self.0, &viewer, view, known, load).await?)
    }

    /// Searches the products of a category
    ///
    /// Finds products whose name, code or description contains `q`, whatever the case and the accents. Staff also
    /// find hidden products.
    #[oai(
        path = "/brands/:brand_code/models/:model_code/categories/:category_code/products/search",
        method = "get",
        operation_id = "searchProducts"
    )]
    #[allow(clippy::too_many_arguments, reason = "a path of three codes, three parameters, and who asks")]
    async fn search_products(
        &self,
        viewer: Viewer,
        brand_code: Path<String>,
        model_code: Path<String>,
        category_code: Path<String>,
        /// Plain text of 1 to 100 characters.
        q: Text,
        /// Entries per page: 1 to 100; 20 if left out.
        limit: Text,
        /// The `next_cursor` of the previous page.
        cursor: Text,
        known: IfNoneMatch,
    ) -> Answer<ProductsFound> {
        let category = FullCode::join([brand_code.as_str(), model_code.as_str(), category_code.as_str()]);
        let asked = PageRequest::search(&self.0, Some(&category), q, limit, cursor)?;
        let view = asked.view();
        let load = |shown| async move {
            let (results, next_cursor) = self.page(&category, &asked, shown).await?;
            Ok(rendered(&ProductsFound { results, next_cursor }))
        };
        Ok(by_viewer(&self.0, &viewer, view, known, load).await?)
    }

    /// Returns a product
    ///
    /// Staff also see hidden products.
    #[oai(
        path = "/brands/:brand_code/models/:model_code/categories/:category_code/products/:product_code",
        method = "get",
        operation_id = "readProduct"
    )]
    async fn product(
        &self,
        viewer: Viewer,
        brand_code: Path<String>,
        model_code: Path<String>,
        category_code: Path<String>,
        product_code: Path<String>,
        known: IfNoneMatch,
    ) -> Answer<ProductReply> {
        let codes = [brand_code.as_str(), model_code.as_str(), category_code.as_str(), product_code.as_str()];
        Ok(self.one(&viewer, FullCode::join(codes), known).await?)
    }

    /// Returns a product by its full code
    ///
    /// Staff also see hidden products.
    #[oai(path = "/products/:code", method = "get", operation_id = "readProductByCode")]
    async fn product_by_code(
        &self,
        viewer: Viewer,
        /// Full code in any case: the codes of brand, model, category and product, joined by `-`.
        code: Path<String>,
        known: IfNoneMatch,
    ) -> Answer<ProductReply> {
        let missing = CatalogueError::NotFound(TreeLevel::Product);
        let Some(code) = FullCode::of_level(TreeLevel::Product, &code.0) else { return Err(missing.into()) };
        Ok(self.one(&viewer, code, known).await.map_err(|error| match error {
            CatalogueError::NotFound(_) => missing,
            error => error,
        })?)
    }
}

impl ProductsApi {
    async fn one(
        &self,
        viewer: &Viewer,
        code: FullCode,
        known: IfNoneMatch,
    ) -> Result<Tagged<ProductReply>, CatalogueError> {
        let view = View::One(code.clone());
        let load = |shown| async move {
            let product = catalogue::product(&self.0, &code, shown).await?;
            Ok(one_product(product, Showing::now(&self.0)))
        };
        by_viewer(&self.0, viewer, view, known, load).await
    }

    async fn page(
        &self,
        category: &FullCode,
        asked: &PageRequest<ProductId>,
        shown: Visibility,
    ) -> Result<(Vec<ProductOut>, Option<String>), CatalogueError> {
        let page = catalogue::products(&self.0, category, asked.text.as_ref(), asked.slice, shown).await?;
        let next_cursor = asked.next_cursor(&self.0, &page, |doc| doc.id);
        let showing = Showing::now(&self.0);
        Ok((page.items.into_iter().map(|doc| ProductOut::new(doc, showing)).collect(), next_cursor))
    }
}
