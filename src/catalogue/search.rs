//! Searching the whole catalogue, by a few at once.

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

/// A page of the products that are wanted.
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
