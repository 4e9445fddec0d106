//! What is looked at when an operator asks for the numbers.

use std::time::Duration;

use crate::app::App;

/// How long the database may take for its part; without it the last number stays.
const LIMIT: Duration = Duration::from_secs(1);

/// Brings the state that others keep up to date.
pub async fn look(app: &App) {
    let (state, health) = (&app.metrics.state, &app.store.health);
    state.pool_in_use.set(count(health.connections_in_use()));
    state.pool_waiting.set(count(health.waiting()));
    state.hashing_jobs.set(i64::from(app.hasher.jobs()));
    state.cache_entries.set(i64::try_from(app.catalogue.entries()).unwrap_or(i64::MAX));
    if health.is_gone() {
        return;
    }
    match tokio::time::timeout(LIMIT, app.store.outbox.waiting()).await {
        Ok(Ok(waiting)) => drop(state.outbox_waiting.set(i64::try_from(waiting).unwrap_or(i64::MAX))),
        Ok(Err(error)) => tracing::debug!(%error, "the outbox isn't counted"),
        Err(_) => tracing::debug!("the outbox isn't counted in time"),
    }
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
