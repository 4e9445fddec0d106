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

/// Returns a page of the products that match `wanted`.
///
/// Waits up to two seconds for its turn, then fails with [`CatalogueError::Busy`].
pub async fn search(
    app: &App,
    wanted: &ProductSearch,
    slice: &Slice<ResultPosition>,
    shown: Visibility,
) -> Result<Page<FoundProduct>, CatalogueError> {
    let _turn = app.searching.turn().await?;
    let found = app.store.products.search(wanted, slice.after.as_ref(), slice.limit + 1, shown).await?;
    Ok(Page::of(found, slice.limit))
}
