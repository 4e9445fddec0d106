//! `/api/utils/brands/…` down to the categories. These calls are public, and everybody gets the same answers.

use std::sync::Arc;

use poem_openapi::{OpenApi, param::Path};

use super::{
    Answer, Text, one_brand, one_category, one_model,
    page_request::PageRequest,
    public, rendered,
    replies::{
        BrandReply, BrandsFound, BrandsOut, CategoriesFound, CategoriesOut, CategoryReply, ModelReply, ModelsFound,
        ModelsOut,
    },
};
use crate::{
    api::{
        Group,
        catalogue_out::{BrandOut, CategoryOut, ModelOut, Showing},
        etag::IfNoneMatch,
    },
    app::App,
    catalogue::{self, View, error::CatalogueError},
    values::{
        codes::FullCode,
        ids::{BrandId, CategoryId, ModelId},
    },
};

/// Handlers of the calls about brands, models and categories.
pub struct BranchesApi(pub Arc<App>);

#[OpenApi(prefix_path = "/api/utils", tag = "Group::Utils")]
impl BranchesApi {
    /// Lists the brands
    #[oai(path = "/brands", method = "get", operation_id = "listBrands")]
    async fn brands(
        &self,
        /// Entries per page: 1 to 100; 20 if left out.
        limit: Text,
        /// The `next_cursor` of the previous page.
        cursor: Text,
        known: IfNoneMatch,
    ) -> Answer<BrandsOut> {
        let asked = PageRequest::list(&self.0, None, limit, cursor)?;
        let load = || async {
            let (brands, next_cursor) = self.brand_page(&asked).await?;
            Ok(rendered(&BrandsOut { brands, next_cursor }))
        };
        public(&self.0, asked.view(), known, load).await
    }

    /// Searches the brands
    ///
    /// Finds brands whose name or code contains `q`, whatever the case and the accents.
    #[oai(path = "/brands/search", method = "get", operation_id = "searchBrands")]
    async fn search_brands(
        &self,
        /// Plain text of 1 to 100 characters.
        q: Text,
        /// Entries per page: 1 to 100; 20 if left out.
        limit: Text,
        /// The `next_cursor` of the previous page.
        cursor: Text,
        known: IfNoneMatch,
    ) -> Answer<BrandsFound> {
        let asked = PageRequest::search(&self.0, None, q, limit, cursor)?;
        let load = || async {
            let (results, next_cursor) = self.brand_page(&asked).await?;
            Ok(rendered(&BrandsFound { results, next_cursor }))
        };
        public(&self.0, asked.view(), known, load).await
    }

    /// Returns a brand
    #[oai(path = "/brands/:brand_code", method = "get", operation_id = "readBrand")]
    async fn brand(&self, brand_code: Path<String>, known: IfNoneMatch) -> Answer<BrandReply> {
        let code = FullCode::join([brand_code.as_str()]);
        let load = || async { Ok(one_brand(catalogue::brand(&self.0, &code).await?, Showing::now(&self.0))) };
        public(&self.0, View::One(code.clone()), known, load).await
    }

    /// Lists the models of a brand
    #[oai(path = "/brands/:brand_code/models", method = "get", operation_id = "listModels")]
    async fn models(
        &self,
        brand_code: Path<String>,
        /// Entries per page: 1 to 100; 20 if left out.
        limit: Text,
        /// The `next_cursor` of the previous page.
        cursor: Text,
        known: IfNoneMatch,
    ) -> Answer<ModelsOut> {
        let parent = FullCode::join([brand_code.as_str()]);
        let asked = PageRequest::list(&self.0, Some(&parent), limit, cursor)?;
        let load = || async {
            let (models, next_cursor) = self.model_page(&parent, &asked).await?;
            Ok(rendered(&ModelsOut { models, next_cursor }))
        };
        public(&self.0, asked.view(), known, load).await
    }

    /// Searches the models of a brand
    ///
    /// Finds models whose name or code contains `q`, whatever the case and the accents.
    #[oai(path = "/brands/:brand_code/models/search", method = "get", operation_id = "searchModels")]
    async fn search_models(
        &self,
        brand_code: Path<String>,
        /// Plain text of 1 to 100 characters.
        q: Text,
        /// Entries per page: 1 to 100; 20 if left out.
        limit: Text,
        /// The `next_cursor` of the previous page.
        cursor: Text,
        known: IfNoneMatch,
    ) -> Answer<ModelsFound> {
        let parent = FullCode::join([brand_code.as_str()]);
        let asked = PageRequest::search(&self.0, Some(&parent), q, limit, cursor)?;
        let load = || async {
            let (results, next_cursor) = self.model_page(&parent, &asked).await?;
            Ok(rendered(&ModelsFound { results, next_cursor }))
        };
        public(&self.0, asked.view(), known, load).await
    }

    /// Returns a model
    #[oai(path = "/brands/:brand_code/models/:model_code", method = "get", operation_id = "readModel")]
    async fn model(
        &self,
        brand_code: Path<String>,
        model_code: Path<String>,
        known: IfNoneMatch,
    ) -> Answer<ModelReply> {
        let code = FullCode::join([brand_code.as_str(), model_code.as_str()]);
        let load = || async { Ok(one_model(catalogue::model(&self.0, &code).await?, Showing::now(&self.0))) };
        public(&self.0, View::One(code.clone()), known, load).await
    }

    /// Lists the categories of a model
    #[oai(path = "/brands/:brand_code/models/:model_code/categories", method = "get", operation_id = "listCategories")]
    async fn categories(
        &self,
        brand_code: Path<String>,
        model_code: Path<String>,
        /// Entries per page: 1 to 100; 20 if left out.
        limit: Text,
        /// The `next_cursor` of the previous page.
        cursor: Text,
        known: IfNoneMatch,
    ) -> Answer<CategoriesOut> {
        let parent = FullCode::join([brand_code.as_str(), model_code.as_str()]);
        let asked = PageRequest::list(&self.0, Some(&parent), limit, cursor)?;
        let load = || async {
            let (categories, next_cursor) = self.category_page(&parent, &asked).await?;
            Ok(rendered(&CategoriesOut { categories, next_cursor }))
        };
        public(&self.0, asked.view(), known, load).await
    }

    /// Searches the categories of a model
    ///
    /// Finds categories whose name or code contains `q`, whatever the case and the accents.
    #[oai(
        path = "/brands/:brand_code/models/:model_code/categories/search",
        method = "get",
        operation_id = "searchCategories"
    )]
    async fn search_categories(
        &self,
        brand_code: Path<String>,
        model_code: Path<String>,
        /// Plain text of 1 to 100 characters.
        q: Text,
        /// Entries per page: 1 to 100; 20 if left out.
        limit: Text,
        /// The `next_cursor` of the previous page.
        cursor: Text,
        known: IfNoneMatch,
    ) -> Answer<CategoriesFound> {
        let parent = FullCode::join([brand_code.as_str(), model_code.as_str()]);
        let asked = PageRequest::search(&self.0, Some(&parent), q, limit, cursor)?;
        let load = || async {
            let (results, next_cursor) = self.category_page(&parent, &asked).await?;
            Ok(rendered(&CategoriesFound { results, next_cursor }))
        };
        public(&self.0, asked.view(), known, load).await
    }

    /// Returns a category
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
        known: IfNoneMatch,
    ) -> Answer<CategoryReply> {
        let code = FullCode::join([brand_code.as_str(), model_code.as_str(), category_code.as_str()]);
        let load = || async { Ok(one_category(catalogue::category(&self.0, &code).await?, Showing::now(&self.0))) };
        public(&self.0, View::One(code.clone()), known, load).await
    }
}

/// The entries of a page, and the cursor of the next page.
type PageOf<T> = Result<(Vec<T>, Option<String>), CatalogueError>;

impl BranchesApi {
    async fn brand_page(&self, asked: &PageRequest<BrandId>) -> PageOf<BrandOut> {
        let page = catalogue::brands(&self.0, asked.text.as_ref(), asked.slice).await?;
        let next_cursor = asked.next_cursor(&self.0, &page, |doc| doc.id);
        let showing = Showing::now(&self.0);
        Ok((page.items.into_iter().map(|doc| BrandOut::new(doc, showing)).collect(), next_cursor))
    }

    async fn model_page(&self, parent: &FullCode, asked: &PageRequest<ModelId>) -> PageOf<ModelOut> {
        let page = catalogue::models(&self.0, parent, asked.text.as_ref(), asked.slice).await?;
        let next_cursor = asked.next_cursor(&self.0, &page, |doc| doc.id);
        let showing = Showing::now(&self.0);
        Ok((page.items.into_iter().map(|doc| ModelOut::new(doc, showing)).collect(), next_cursor))
    }

    async fn category_page(&self, parent: &FullCode, asked: &PageRequest<CategoryId>) -> PageOf<CategoryOut> {
        let page = catalogue::categories(&self.0, parent, asked.text.as_ref(), asked.slice).await?;
        let next_cursor = asked.next_cursor(&self.0, &page, |doc| doc.id);
        let showing = Showing::now(&self.0);
        Ok((page.items.into_iter().map(|doc| CategoryOut::new(doc, showing)).collect(), next_cursor))
    }
}
