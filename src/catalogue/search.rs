//! The search of the whole catalogue. It costs the database so much that only a few run at the same time.

use super::{
    Visibility,
    error::CatalogueError,
    rules::product_search::{ProductSearch, ResultPosition},
    store::products::FoundProduct,
};
use crate::{
    app::App,
    values::paging::{Page, Slice},
};

/// Returns a page of the products that match `criteria`.
///
/// Waits up to two seconds for its turn, then fails with [`CatalogueError::Busy`].
pub async fn search(
    app: &App,
    criteria: &ProductSearch,
    slice: &Slice<ResultPosition>,
    visibility: Visibility,
) -> Result<Page<FoundProduct>, CatalogueError> {
    let _turn = app.searching.turn().await?;
    let found = app.store.products.search(criteria, slice.after.as_ref(), slice.limit + 1, visibility).await?;
    Ok(Page::of(found, slice.limit))
}
