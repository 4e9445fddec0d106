//! Adding, removing and arranging the pictures of a product.

use super::{
    EntryImage, ImageSource, Precondition, TreeLevel, missing_level,
    rules::{
        names::AltText,
        pictures::{PicturePlace, PictureRefusal, ProductPicture, ProductPictures},
    },
    store::{
        products::ProductDoc,
        tree::{Node, UpdateOutcome},
    },
};
use crate::{
    app::App,
    db::StoreError,
    images::ImageError,
    values::{author::Author, codes::FullCode},
};

/// Why the pictures of a product were not changed.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// Nothing has the code. Holds the first level on which something is missing.
    #[error("{} not found", .0.word())]
    NotFound(TreeLevel),
    /// The product is not in the state that the caller knows.
    #[error("the product has changed meanwhile")]
    Changed,
    /// The pictures can't be changed like this.
    #[error(transparent)]
    Refused(#[from] PictureRefusal),
    /// The image could not be read or stored.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The database could not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Adds a picture behind the others and returns the new state of the product. An image that was sent along is stored
/// first, and removed again if it isn't added.
pub async fn add_picture(
    app: &App,
    author: &Author,
    code: &FullCode,
    source: ImageSource,
    alt: Option<AltText>,
    precondition: Option<Precondition<ProductDoc>>,
) -> Result<ProductDoc, PictureError> {
    let image = source.store(app).await?;
    let is_missing = image.is_missing(app).await;
    let EntryImage { url, key } = image.clone();
    let change = move |pictures: &mut ProductPictures| {
        let picture = ProductPicture { url: url.clone(), key: key.clone(), alt: alt.clone() };
        pictures.add(picture)?;
        if is_missing { Err(ImageError::Missing.into()) } else { Ok(()) }
    };
    let outcome = change_pictures(app, author, code, precondition, change).await;
    if outcome.is_err() {
        image.discard(app).await;
    }
    outcome
}

/// Removes a picture and returns the new state of the product.
pub async fn remove_picture(
    app: &App,
    author: &Author,
    code: &FullCode,
    id: &str,
    precondition: Option<Precondition<ProductDoc>>,
) -> Result<ProductDoc, PictureError> {
    change_pictures(app, author, code, precondition, |pictures| Ok(pictures.remove(id)?)).await
}

/// Brings the pictures into a new order and returns the new state of the product.
pub async fn arrange_pictures(
    app: &App,
    author: &Author,
    code: &FullCode,
    order: &[PicturePlace],
    precondition: Option<Precondition<ProductDoc>>,
) -> Result<ProductDoc, PictureError> {
    change_pictures(app, author, code, precondition, |pictures| Ok(pictures.arrange(order)?)).await
}

/// Changes the pictures of a product in one transaction with the precondition, the references to the images and the
/// entry in the audits. Two changes at the same time happen one after the other.
async fn change_pictures(
    app: &App,
    author: &Author,
    code: &FullCode,
    precondition: Option<Precondition<ProductDoc>>,
    change: impl Fn(&mut ProductPictures) -> Result<(), PictureError> + Send + Sync,
) -> Result<ProductDoc, PictureError> {
    let change = move |before: &ProductDoc| {
        if precondition.as_ref().is_some_and(|is_met| !is_met(before)) {
            return Err(PictureError::Changed);
        }
        let mut pictures = before.pictures();
        change(&mut pictures)?;
        let mut after = before.clone();
        after.show_pictures(pictures);
        Ok(after)
    };
    match app.store.tree.update(code, change, &app.trail(Some(author))).await? {
        UpdateOutcome::Done(product) => {
            app.catalogue.mark_changed(&product.changed_part());
            Ok(product)
        }
        UpdateOutcome::Missing => Err(PictureError::NotFound(missing_level(app, code, TreeLevel::Product).await?)),
        UpdateOutcome::Refused(refusal) => Err(refusal),
        UpdateOutcome::ImageGone(gone) => Err(ImageError::from(gone).into()),
    }
}
