//! Searching the whole catalogue, by a few at once.

use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use super::{CatalogueError, Page, Shown, Slice};
use crate::{
    app::App,
    domain::product_search::{Place, ProductSearch},
    store::products::Found,
};

/// Searches that the database carries out at once: half of the connections are left to everything else.
const AT_ONCE: usize = 8;
/// How long others wait for their turn.
const PATIENCE: Duration = Duration::from_secs(2);

/// The turns of those who search.
pub struct Searching {
    turns: Semaphore,
    patience: Duration,
}

impl Searching {
    /// Nobody searches yet.
    pub fn new() -> Self {
        Self { turns: Semaphore::new(AT_ONCE), patience: PATIENCE }
    }

    async fn turn(&self) -> Result<SemaphorePermit<'_>, CatalogueError> {
        let turn = tokio::time::timeout(self.patience, self.turns.acquire()).await;
        turn.ok().and_then(Result::ok).ok_or(CatalogueError::Busy)
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_gets_no_turn_is_told_so() {
        let searching = Searching { turns: Semaphore::new(1), patience: Duration::from_millis(1) };
        let turn = searching.turn().await.expect("a turn");
        assert!(matches!(searching.turn().await, Err(CatalogueError::Busy)));
        drop(turn);
        assert!(searching.turn().await.is_ok());
    }
}
