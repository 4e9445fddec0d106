//! Changing entries of the tree. Codes cannot be changed.

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
        tree::{Node, UpdateOutcome},
    },
};
use crate::{
    app::App,
    db::StoreError,
    images::ImageError,
    values::{author::Author, codes::FullCode, money::Money},
};

/// A check that an entry is still in the state that the caller knows. If it returns `false`, the entry is not changed.
pub type Precondition<N> = Arc<dyn Fn(&N) -> bool + Send + Sync>;

/// The changes of a brand, model or category. Fields that are `None` stay as they are.
#[derive(Debug, Clone)]
pub struct BranchChange {
    pub name: Option<Name>,
    pub image: Option<ImageSource>,
}

/// The changes of a product. Fields that are `None` stay as they are.
#[derive(Debug, Clone)]
pub struct ProductChange {
    pub name: Option<Name>,
    pub description: Option<Description>,
    /// The new price of one piece, before any offer.
    pub price: Option<Money>,
    pub stock: Option<StockChange>,
    pub offer: Option<OfferChange>,
    /// Whether customers can see the product.
    pub is_active: Option<bool>,
    pub image: Option<ImageSource>,
}

impl BranchChange {
    /// Returns whether nothing would change.
    pub fn is_empty(&self) -> bool {
        self.name.is_none() && self.image.is_none()
    }
}

impl ProductChange {
    /// Returns whether nothing would change.
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

    /// Applies all changes except that of the image. Fails if the stock would leave its limits.
    pub fn apply_to(&self, product: &mut ProductDoc) -> Result<(), UpdateError> {
        set_if_given(&mut product.name, self.name.as_ref());
        set_if_given(&mut product.description, self.description.as_ref());
        set_if_given(&mut product.price, self.price.as_ref());
        set_if_given(&mut product.is_active, self.is_active.as_ref());
        if let Some(change) = &self.offer {
            product.offer = change.offer();
        }
        if let Some(change) = self.stock {
            product.stock = change.pieces_after(product.stock)?;
        }
        Ok(())
    }
}

/// A change of the stock.
#[derive(Debug, Clone, Copy)]
pub enum StockChange {
    /// Sets the stock to this number of pieces.
    To(u32),
    /// Adds this number of pieces, which may be negative.
    By(i64),
}

impl StockChange {
    /// Returns the pieces after the change; `None` if that depends on the pieces before it.
    pub fn fixed_pieces(self) -> Option<u32> {
        match self {
            Self::To(pieces) => Some(pieces),
            Self::By(_) => None,
        }
    }

    /// Returns the pieces after the change of a product with `stock` pieces.
    fn pieces_after(self, stock: i64) -> Result<i64, UpdateError> {
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

/// A change of the offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OfferChange {
    /// Removes the offer, if there is one.
    Remove,
    /// Sets this offer.
    Replace(Offer),
}

impl From<Option<Offer>> for OfferChange {
    fn from(offer: Option<Offer>) -> Self {
        offer.map_or(Self::Remove, Self::Replace)
    }
}

impl OfferChange {
    /// Returns the offer after the change.
    pub(super) fn offer(&self) -> Option<Offer> {
        match self {
            Self::Remove => None,
            Self::Replace(offer) => Some(offer.clone()),
        }
    }
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// Nothing has the code. Holds the first level on which something is missing.
    #[error("{} not found", .0.word())]
    NotFound(TreeLevel),
    /// The entry is not in the state that the caller knows.
    #[error("the {} has changed meanwhile", .0.word())]
    Changed(TreeLevel),
    /// The stock would fall below 0. Holds the pieces in stock.
    #[error("only {0} items available in stock")]
    NotEnoughStock(i64),
    /// The stock would rise above [`MAX_STOCK`].
    #[error("invalid stock_delta: the stock would exceed {MAX_STOCK}")]
    TooMuchStock,
    /// The image could not be read or stored.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The database could not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Changes the brand, model or category with a full code and returns its new state.
///
/// The precondition and the change are part of one transaction. An image that was sent along is stored first, and
/// removed again if the change fails.
pub async fn update_branch<L: Level>(
    app: &App,
    author: &Author,
    code: &FullCode,
    change: BranchChange,
    precondition: Option<Precondition<BranchDoc<L>>>,
) -> Result<BranchDoc<L>, UpdateError> {
    let BranchChange { name, image } = change;
    let apply = move |branch: &mut BranchDoc<L>| {
        set_if_given(&mut branch.name, name.as_ref());
        Ok(())
    };
    update(app, author, code, image, precondition, apply).await
}

/// Changes the product with a full code and returns its new state, see [`update_branch`].
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

/// Sets `field` if there is a new value.
fn set_if_given<T: Clone>(field: &mut T, value: Option<&T>) {
    if let Some(value) = value {
        field.clone_from(value);
    }
}

async fn update<N: Node>(
    app: &App,
    author: &Author,
    code: &FullCode,
    image: Option<ImageSource>,
    precondition: Option<Precondition<N>>,
    apply: impl Fn(&mut N) -> Result<(), UpdateError> + Send + Sync,
) -> Result<N, UpdateError> {
    let stored_image = match image {
        Some(source) => Some(source.store(app).await?),
        None => None,
    };
    let new_image = stored_image.clone();
    let is_missing = match &stored_image {
        Some(image) => image.is_missing(app).await,
        None => false,
    };
    let change = move |before: &N| {
        if precondition.as_ref().is_some_and(|is_met| !is_met(before)) {
            return Err(UpdateError::Changed(N::LEVEL));
        }
        let mut after = before.clone();
        apply(&mut after)?;
        if let Some(image) = &new_image {
            // An unchanged URL is fine, whatever it shows.
            if is_missing && before.image_url() != &image.url {
                return Err(ImageError::Missing.into());
            }
            after.show_image(&image.url, image.key.as_ref());
        }
        Ok(after)
    };
    let outcome = app.store.tree.update(code, change, &app.trail(Some(author))).await;
    finish(app, code, stored_image, outcome).await
}

/// Tells the cache of the change, or discards the new image and explains why nothing was changed.
async fn finish<N: Node>(
    app: &App,
    code: &FullCode,
    image: Option<EntryImage>,
    outcome: Result<UpdateOutcome<N, UpdateError>, StoreError>,
) -> Result<N, UpdateError> {
    let refusal = match outcome {
        Ok(UpdateOutcome::Done(node)) => {
            app.catalogue.mark_changed(&node.changed_part());
            return Ok(node);
        }
        Ok(UpdateOutcome::Missing) => match missing_level(app, code, N::LEVEL).await {
            Ok(level) => UpdateError::NotFound(level),
            Err(error) => error.into(),
        },
        Ok(UpdateOutcome::Refused(refusal)) => refusal,
        Ok(UpdateOutcome::ImageGone(gone)) => ImageError::from(gone).into(),
        Err(error) => error.into(),
    };
    if let Some(image) = image {
        image.discard(app).await;
    }
    Err(refusal)
}
