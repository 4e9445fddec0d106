//! Limits how many searches of the whole catalogue run at the same time.

use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use super::error::CatalogueError;

/// How many searches run in this process at the same time. They use half of the 16 connections to the database at most.
const AT_ONCE: usize = 8;
/// How long a search waits for its turn.
const PATIENCE: Duration = Duration::from_secs(2);

/// The turns of the searches.
pub struct SearchTurns {
    turns: Semaphore,
    patience: Duration,
}

impl SearchTurns {
    /// Creates the limit while no search runs.
    pub fn new() -> Self {
        Self { turns: Semaphore::new(AT_ONCE), patience: PATIENCE }
    }

    /// Waits for a turn, which lasts until the permit is dropped. Fails with [`CatalogueError::Busy`] after two
    /// seconds.
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
        let searching = SearchTurns { turns: Semaphore::new(1), patience: Duration::from_millis(1) };
        let turn = searching.turn().await.expect("a turn");
        assert!(matches!(searching.turn().await, Err(CatalogueError::Busy)));
        drop(turn);
        assert!(searching.turn().await.is_ok());
    }
}
