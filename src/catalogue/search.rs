//! The search of the whole catalogue. It costs the database so much that only a few run at the same time.

use super::{
    Shown,
    error::CatalogueError,
    rules::product_search::{Place, ProductSearch},
    store::products::Found,
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
    slice: &Slice<Place>,
    shown: Shown,
) -> Result<Page<Found>, CatalogueError> {
    let _turn = app.searching.turn().await?;
    let found = app.store.products.search(wanted, slice.after.as_ref(), slice.limit + 1, shown).await?;
    Ok(Page::of(found, slice.limit))
}
