//! New entries of the tree before they are stored: checked fields and an image.

use bytes::Bytes;

use super::{
    rules::names::{Description, Name},
    store::{
        branches::{BranchDoc, Brand, Level},
        products::ProductDoc,
        tree::GoneImage,
    },
};
use crate::{
    app::App,
    images::{self, ImageError, NewImage, PictureKind, key::ImageKey},
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
    /// The caller named a URL. The shop stores the URL only.
    Url(ImageUrl),
    /// The caller sent these bytes. The shop stores the image itself.
    Upload(Bytes),
}

/// The image of an entry, ready to be shown.
#[derive(Debug, Clone)]
pub struct EntryImage {
    /// The URL under which callers get it.
    pub url: ImageUrl,
    /// The key of an image that was sent along; `None` if the caller named a URL.
    pub key: Option<ImageKey>,
}

/// A new brand, model or category with checked fields.
#[derive(Debug, Clone)]
pub struct NewBranch<I = EntryImage> {
    /// Its own code, without those of its parents.
    pub code: Code,
    pub name: Name,
    pub image: I,
}

/// A new product with checked fields.
#[derive(Debug, Clone)]
pub struct NewProduct<I = EntryImage> {
    /// Its own code, without those of its parents.
    pub code: Code,
    pub name: Name,
    pub description: Description,
    /// Price of one piece, before any offer.
    pub price: Money,
    /// Number of pieces in stock.
    pub stock: u32,
    pub image: I,
}

impl ImageSource {
    /// Stores an image that was sent along. A URL is stored as [`images::stored_url`] tells.
    ///
    /// The transaction that stores the document must claim the image within an hour. Otherwise the image is removed
    /// again.
    pub(super) async fn store(self, app: &App) -> Result<EntryImage, ImageError> {
        match self {
            Self::Url(url) => Ok(EntryImage { url: images::stored_url(&app.config.shop.public_url, url), key: None }),
            Self::Upload(bytes) => {
                let NewImage { key, url } = images::keep(app, bytes, PictureKind::Catalogue).await?;
                Ok(EntryImage { url, key: Some(key) })
            }
        }
    }
}

impl ImageSource {
    /// Works like [`ImageSource::store`] for a new entry, and fails with [`ImageError::Missing`] if the caller named a
    /// URL below `/media/` at which there is no image.
    async fn store_for_new(self, app: &App) -> Result<EntryImage, ImageError> {
        let image = self.store(app).await?;
        if image.is_missing(app).await { Err(ImageError::Missing) } else { Ok(image) }
    }
}

impl EntryImage {
    /// Returns whether the caller named a URL below `/media/` at which there is no image.
    pub(super) async fn is_missing(&self, app: &App) -> bool {
        self.key.is_none() && !images::missing(app, [&self.url]).await.is_empty()
    }

    /// Requests the removal of an image that was sent along. Does nothing if a document has claimed it.
    pub(super) async fn discard(self, app: &App) {
        if let Some(key) = self.key {
            images::discard_now(app, NewImage { key, url: self.url }).await;
        }
    }
}

impl From<GoneImage> for ImageError {
    fn from(gone: GoneImage) -> Self {
        match gone {
            GoneImage::Uploaded => Self::Busy,
            GoneImage::Named => Self::Missing,
        }
    }
}

impl NewBranch<ImageSource> {
    /// Stores the image if it was sent along, see [`ImageSource::store_for_new`].
    pub(super) async fn store_image(self, app: &App) -> Result<NewBranch, ImageError> {
        Ok(NewBranch { code: self.code, name: self.name, image: self.image.store_for_new(app).await? })
    }
}

impl NewBranch {
    /// Returns the document of a brand.
    pub fn top(self, id: BrandId, now: Timestamp) -> BranchDoc<Brand> {
        let code = FullCode::join([self.code.as_str()]);
        self.document(id, (), None, code, now)
    }

    /// Returns the document of a model or category whose parent has the full code `parent`.
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
    /// Stores the image if it was sent along, see [`ImageSource::store_for_new`].
    pub(super) async fn store_image(self, app: &App) -> Result<NewProduct, ImageError> {
        let image = self.image.store_for_new(app).await?;
        let Self { code, name, description, price, stock, .. } = self;
        Ok(NewProduct { code, name, description, price, stock, image })
    }
}

impl NewProduct {
    /// Returns the document of a product whose category has the full code `category`. It is visible and has no offer.
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
            image_alt: None,
            further_images: Vec::new(),
            price: self.price,
            stock: i64::from(self.stock),
            offer: None,
            is_active: true,
            created_at: now,
            updated_at: now,
        }
    }
}
