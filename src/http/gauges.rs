//! Gauges that are updated only when an operator asks for the metrics.

use std::time::Duration;

use crate::{app::App, mail};

/// The maximum time for counting the waiting mails in the database. After that, the gauge keeps its last value.
const COUNT_LIMIT: Duration = Duration::from_secs(1);

/// Updates the gauges from the state of the other parts of the app. Waits at most one second for the database.
pub async fn update(app: &App) {
    let (state, health) = (&app.metrics.state, &app.store.health);
    state.pool_in_use.set(gauge_value(health.connections_in_use()));
    state.pool_waiting.set(gauge_value(health.waiting()));
    state.hashing_jobs.set(i64::from(app.hasher.jobs()));
    state.cache_entries.set(i64::try_from(app.catalogue.entries()).unwrap_or(i64::MAX));
    if health.is_gone() {
        return;
    }
    match tokio::time::timeout(COUNT_LIMIT, mail::count_queued(app)).await {
        Ok(Ok(waiting)) => drop(state.outbox_waiting.set(i64::try_from(waiting).unwrap_or(i64::MAX))),
        Ok(Err(error)) => tracing::debug!(%error, "the outbox isn't counted"),
        Err(_) => tracing::debug!("the outbox isn't counted in time"),
    }
}

fn gauge_value(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
