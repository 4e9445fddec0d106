//! Changing what is in the tree. Codes never change.

use std::sync::Arc;

use super::{
    EntryImage, ImageSource, TreeLevel, missing_level,
    rules::{
        entry::MAX_STOCK,
        names::{Description, Name},
        pricing::Offer,
    },
    store::{
        branches::{BranchDoc, Level},
        products::ProductDoc,
        tree::{Node, Updated},
    },
};
use crate::{
    app::App,
    db::StoreError,
    images::drawing::ImageError,
    values::{author::Author, codes::FullCode, money::Money},
};

/// What a caller knows of the state that is to be changed; a document in another one is left alone.
pub type Precondition<N> = Arc<dyn Fn(&N) -> bool + Send + Sync>;

/// What is to be different about a brand, model or category; `None` stays as it is.
#[derive(Debug, Clone)]
pub struct BranchChange {
    /// Its name.
    pub name: Option<Name>,
    /// Its image.
    pub image: Option<ImageSource>,
}

/// What is to be different about a product; `None` stays as it is.
#[derive(Debug, Clone)]
pub struct ProductChange {
    /// Its name.
    pub name: Option<Name>,
    /// What it is and fits.
    pub description: Option<Description>,
    /// Price of a piece.
    pub price: Option<Money>,
    /// Pieces in stock.
    pub stock: Option<StockChange>,
    /// The offer, or none any more.
    pub offer: Option<Option<Offer>>,
    /// Whether customers see it.
    pub is_active: Option<bool>,
    /// Its image.
    pub image: Option<ImageSource>,
}

impl BranchChange {
    /// Whether all stays as it is.
    pub fn is_empty(&self) -> bool {
        self.name.is_none() && self.image.is_none()
    }
}

impl ProductChange {
    /// Whether all stays as it is.
    pub fn is_empty(&self) -> bool {
        let Self { name, description, price, stock, offer, is_active, image } = self;
        name.is_none()
            && description.is_none()
            && price.is_none()
            && stock.is_none()
            && offer.is_none()
            && is_active.is_none()
            && image.is_none()
    }

    /// Changes everything but the image.
    pub fn apply_to(&self, product: &mut ProductDoc) -> Result<(), UpdateError> {
        put(&mut product.name, self.name.as_ref());
        put(&mut product.description, self.description.as_ref());
        put(&mut product.price, self.price.as_ref());
        put(&mut product.offer, self.offer.as_ref());
        put(&mut product.is_active, self.is_active.as_ref());
        if let Some(change) = self.stock {
            product.stock = change.applied_to(product.stock)?;
        }
        Ok(())
    }
}

/// How the stock changes.
#[derive(Debug, Clone, Copy)]
pub enum StockChange {
    /// To so many pieces.
    To(u32),
    /// By so many pieces, more or less.
    By(i64),
}

/// Why nothing is changed.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// The first level on which nothing has the code.
    #[error("{} not found", .0.word())]
    NotFound(TreeLevel),
    /// It is not in the state that the caller knows.
    #[error("the {} has changed meanwhile", .0.word())]
    Changed(TreeLevel),
    /// The stock would fall below nothing.
    #[error("only {0} items available in stock")]
    NotEnoughStock(i64),
    /// The stock would exceed all bounds.
    #[error("invalid stock_delta: the stock would exceed {MAX_STOCK}")]
    TooMuchStock,
    /// Its image.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Changes the brand, model or category with a full code.
pub async fn update_branch<L: Level>(
    app: &App,
    author: &Author,
    code: &FullCode,
    change: BranchChange,
    precondition: Option<Precondition<BranchDoc<L>>>,
) -> Result<BranchDoc<L>, UpdateError> {
    let BranchChange { name, image } = change;
    let apply = move |branch: &mut BranchDoc<L>| {
        put(&mut branch.name, name.as_ref());
        Ok(())
    };
    update(app, author, code, image, precondition, apply).await
}

/// Changes the product with a full code.
pub async fn update_product(
    app: &App,
    author: &Author,
    code: &FullCode,
    change: ProductChange,
    precondition: Option<Precondition<ProductDoc>>,
) -> Result<ProductDoc, UpdateError> {
    let image = change.image.clone();
    let apply = move |product: &mut ProductDoc| change.apply_to(product);
    update(app, author, code, image, precondition, apply).await
}

fn put<T: Clone>(field: &mut T, value: Option<&T>) {
    if let Some(value) = value {
        field.clone_from(value);
    }
}

impl StockChange {
    /// The pieces afterwards, if that doesn't depend on how many there were.
    pub fn pieces(self) -> Option<u32> {
        match self {
            Self::To(pieces) => Some(pieces),
            Self::By(_) => None,
        }
    }

    fn applied_to(self, stock: i64) -> Result<i64, UpdateError> {
        match self {
            Self::To(pieces) => Ok(pieces.into()),
            Self::By(delta) => match stock.saturating_add(delta) {
                ..0 => Err(UpdateError::NotEnoughStock(stock.max(0))),
                after if after > MAX_STOCK.into() => Err(UpdateError::TooMuchStock),
                after => Ok(after),
            },
        }
    }
}

async fn update<N: Node>(
    app: &App,
    author: &Author,
    code: &FullCode,
    image: Option<ImageSource>,
    precondition: Option<Precondition<N>>,
    apply: impl Fn(&mut N) -> Result<(), UpdateError> + Clone + Send + Sync + 'static,
) -> Result<N, UpdateError> {
    let image = match image {
        Some(source) => Some(source.keep(app).await?),
        None => None,
    };
    let shown = image.clone();
    let change = move |before: &N| {
        if precondition.as_ref().is_some_and(|holds| !holds(before)) {
            return Err(UpdateError::Changed(N::LEVEL));
        }
        let mut after = before.clone();
        apply(&mut after)?;
        show(&mut after, shown.as_ref());
        Ok(after)
    };
    let updated = app.store.tree.update(code, change, &app.trail(Some(author))).await;
    finish(app, code, image, updated).await
}

/// The URL that is shown already changes nothing: the shop goes on keeping the image behind it.
fn show<N: Node>(node: &mut N, image: Option<&EntryImage>) {
    if let Some(image) = image
        && *node.image_url() != image.url
    {
        node.show(image.url.clone(), image.key.clone());
    }
}

async fn finish<N: Node>(
    app: &App,
    code: &FullCode,
    image: Option<EntryImage>,
    updated: Result<Updated<N, UpdateError>, StoreError>,
) -> Result<N, UpdateError> {
    let refusal = match updated {
        Ok(Updated::Done(node)) => {
            app.catalogue.changed(&node.touched());
            return Ok(node);
        }
        Ok(Updated::Missing) => match missing_level(app, code, N::LEVEL).await {
            Ok(level) => UpdateError::NotFound(level),
            Err(error) => error.into(),
        },
        Ok(Updated::Refused(refusal)) => refusal,
        Ok(Updated::ImageGone) => ImageError::Busy.into(),
        Err(error) => error.into(),
    };
    if let Some(image) = image {
        image.give_up(app).await;
    }
    Err(refusal)
}
