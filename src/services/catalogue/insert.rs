//! Growing the tree: a child is inserted together with a mark on its parent, so that none is left without one (U7).

use super::{TreeLevel, first_missing};
use crate::{
    app::App,
    domain::{
        codes::{Code, FullCode},
        ids::{BrandId, CategoryId, ModelId, ProductId},
        money::Money,
        names::{Description, Name},
        time::Timestamp,
        url::ImageUrl,
    },
    store::{
        StoreError,
        branches::{BranchDoc, Brand, Category, Level, Model},
        products::ProductDoc,
    },
};

/// A checked brand, model or category.
#[derive(Debug, Clone)]
pub struct NewBranch {
    /// Its own code.
    pub code: Code,
    /// Its name.
    pub name: Name,
    /// Its image.
    pub image_url: ImageUrl,
}

/// A checked product.
#[derive(Debug, Clone)]
pub struct NewProduct {
    /// Its own code.
    pub code: Code,
    /// Its name.
    pub name: Name,
    /// What it is and fits.
    pub description: Description,
    /// Price of a piece.
    pub price: Money,
    /// Pieces in stock.
    pub stock: u32,
    /// Its image.
    pub image_url: ImageUrl,
}

impl NewBranch {
    /// The document of a brand.
    pub fn top(self, id: BrandId, now: Timestamp) -> BranchDoc<Brand> {
        let code = FullCode::join([self.code.as_str()]);
        self.document(id, (), None, code, now)
    }

    /// The document of a model or category whose parent has the full code `parent`.
    pub fn below<L: Level>(self, id: L::Id, parent_id: L::ParentId, parent: &FullCode, now: Timestamp) -> BranchDoc<L> {
        let code = parent.child(&self.code);
        self.document(id, parent_id, Some(parent.clone()), code, now)
    }

    fn document<L: Level>(
        self,
        id: L::Id,
        parent_id: L::ParentId,
        parent: Option<FullCode>,
        code: FullCode,
        now: Timestamp,
    ) -> BranchDoc<L> {
        BranchDoc {
            id,
            parent_id,
            parent,
            own_code: self.code,
            code,
            name: self.name,
            image_url: self.image_url,
            children_rev: 0,
            created_at: now,
            updated_at: now,
        }
    }
}

impl NewProduct {
    /// The document of a product whose category has the full code `category`.
    pub fn below(self, id: ProductId, parent_id: CategoryId, category: &FullCode, now: Timestamp) -> ProductDoc {
        ProductDoc {
            id,
            parent_id,
            parent: category.clone(),
            code: category.child(&self.code),
            own_code: self.code,
            name: self.name,
            description: self.description,
            image_url: self.image_url,
            price: self.price,
            stock: i64::from(self.stock),
            offer: None,
            is_active: true,
            created_at: now,
            updated_at: now,
        }
    }
}

/// Why nothing is inserted.
#[derive(Debug, thiserror::Error)]
pub enum InsertError {
    /// The first parent that is missing.
    #[error("{} not found", .0.word())]
    ParentNotFound(TreeLevel),
    /// Something has the code already.
    #[error("{}_code already exists{}", .0.word(), below(*.0))]
    CodeTaken(TreeLevel),
    /// The database.
    #[error(transparent)]
    Store(StoreError),
}

fn below(level: TreeLevel) -> &'static str {
    match level {
        TreeLevel::Brand => "",
        TreeLevel::Model => " for this brand",
        TreeLevel::Category => " for this model",
        TreeLevel::Product => " for this category",
    }
}

/// Inserts a brand.
pub async fn insert_brand(app: &App, new: NewBranch) -> Result<BranchDoc<Brand>, InsertError> {
    let brand = new.top(BrandId::new(), app.clock.now());
    let inserted = app.store.brands.insert_top(&brand).await;
    inserted.map_err(|error| refused(error, TreeLevel::Brand))?;
    Ok(brand)
}

/// Inserts a model below a brand.
pub async fn insert_model(app: &App, brand: &FullCode, new: NewBranch) -> Result<BranchDoc<Model>, InsertError> {
    let (now, parent) = (app.clock.now(), brand.clone());
    let child = move |parent_id| new.clone().below(ModelId::new(), parent_id, &parent, now);
    let inserted = app.store.brands.insert_branch(brand, &app.store.models, child).await;
    parent_or_missing(app, brand, inserted.map_err(|error| refused(error, TreeLevel::Model))?).await
}

/// Inserts a category below a model.
pub async fn insert_category(app: &App, model: &FullCode, new: NewBranch) -> Result<BranchDoc<Category>, InsertError> {
    let (now, parent) = (app.clock.now(), model.clone());
    let child = move |parent_id| new.clone().below(CategoryId::new(), parent_id, &parent, now);
    let inserted = app.store.models.insert_branch(model, &app.store.categories, child).await;
    parent_or_missing(app, model, inserted.map_err(|error| refused(error, TreeLevel::Category))?).await
}

/// Inserts a product below a category.
pub async fn insert_product(app: &App, category: &FullCode, new: NewProduct) -> Result<ProductDoc, InsertError> {
    let (now, parent) = (app.clock.now(), category.clone());
    let product = move |parent_id| new.clone().below(ProductId::new(), parent_id, &parent, now);
    let inserted = app.store.products.insert(category, product).await;
    parent_or_missing(app, category, inserted.map_err(|error| refused(error, TreeLevel::Product))?).await
}

fn refused(error: StoreError, level: TreeLevel) -> InsertError {
    match error {
        StoreError::Duplicate => InsertError::CodeTaken(level),
        error => InsertError::Store(error),
    }
}

async fn parent_or_missing<T>(app: &App, parent: &FullCode, inserted: Option<T>) -> Result<T, InsertError> {
    let Some(inserted) = inserted else {
        let missing = first_missing(app, parent).await.map_err(InsertError::Store)?;
        return Err(InsertError::ParentNotFound(missing.unwrap_or(TreeLevel::Brand)));
    };
    Ok(inserted)
}
