//! What is to become a document of the tree: checked fields and an image.

use super::{
    rules::names::{Description, Name},
    store::{
        branches::{BranchDoc, Brand, Level},
        products::ProductDoc,
    },
};
use crate::{
    app::App,
    images::{self, Kind, NewImage, drawing::ImageError, key::ImageKey},
    values::{
        codes::{Code, FullCode},
        ids::{BrandId, CategoryId, ProductId},
        money::Money,
        time::Timestamp,
        url::ImageUrl,
    },
};

/// Where the image of an entry comes from.
#[derive(Debug, Clone)]
pub enum ImageSource {
    /// It is somewhere already.
    Url(ImageUrl),
    /// It was sent along.
    Upload(Vec<u8>),
}

/// The image of an entry, kept where the entry can show it.
#[derive(Debug, Clone)]
pub struct EntryImage {
    /// Where it is.
    pub url: ImageUrl,
    /// What the shop calls it, if the shop keeps it for this entry.
    pub key: Option<ImageKey>,
}

/// A checked brand, model or category.
#[derive(Debug, Clone)]
pub struct NewBranch<I = EntryImage> {
    /// Its own code.
    pub code: Code,
    /// Its name.
    pub name: Name,
    /// Its image.
    pub image: I,
}

/// A checked product.
#[derive(Debug, Clone)]
pub struct NewProduct<I = EntryImage> {
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
    pub image: I,
}

impl ImageSource {
    /// Keeps what was sent along; a document must claim it.
    pub(super) async fn keep(self, app: &App) -> Result<EntryImage, ImageError> {
        match self {
            Self::Url(url) => Ok(EntryImage { url, key: None }),
            Self::Upload(bytes) => {
                let NewImage { key, url } = images::keep(app, bytes, Kind::Catalogue).await?;
                Ok(EntryImage { url, key: Some(key) })
            }
        }
    }
}

impl EntryImage {
    /// Has what was kept removed again, unless a document has claimed it.
    pub(super) async fn give_up(self, app: &App) {
        if let Some(key) = self.key {
            images::discard_now(app, NewImage { key, url: self.url }).await;
        }
    }
}

impl NewBranch<ImageSource> {
    /// Keeps its image.
    pub(super) async fn settle(self, app: &App) -> Result<NewBranch, ImageError> {
        Ok(NewBranch { code: self.code, name: self.name, image: self.image.keep(app).await? })
    }
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
            image_url: self.image.url,
            image_key: self.image.key,
            children_rev: 0,
            created_at: now,
            updated_at: now,
        }
    }
}

impl NewProduct<ImageSource> {
    /// Keeps its image.
    pub(super) async fn settle(self, app: &App) -> Result<NewProduct, ImageError> {
        let image = self.image.keep(app).await?;
        let Self { code, name, description, price, stock, .. } = self;
        Ok(NewProduct { code, name, description, price, stock, image })
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
            image_url: self.image.url,
            image_key: self.image.key,
            price: self.price,
            stock: i64::from(self.stock),
            offer: None,
            is_active: true,
            created_at: now,
            updated_at: now,
        }
    }
}
