//! Turns at searching the whole catalogue.

use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use super::error::CatalogueError;

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

    /// Waits for a turn; fails with [`CatalogueError::Busy`] after two seconds.
    pub async fn turn(&self) -> Result<SemaphorePermit<'_>, CatalogueError> {
        let turn = tokio::time::timeout(self.patience, self.turns.acquire()).await;
        turn.ok().and_then(Result::ok).ok_or(CatalogueError::Busy)
    }
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
