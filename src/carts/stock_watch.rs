//! Keeps carts within the stock (U4, U5).
//!
//! It follows the changes of products, which any program may make. In addition it sweeps: it compares all carts with
//! the stock when this process takes the work over, after changes were missed, and every ten minutes.

use std::{
    mem,
    time::{Duration, Instant},
};

use super::{
    redistribution,
    store::{
        plans::Planner,
        stock_changes::{Interrupted, ProductChanges},
    },
};
use crate::{
    app::App,
    db::{StoreError, leases::Lease, position::Position},
    values::{ids::ProductId, time::Timestamp},
};

/// How often all carts are compared with the stock, even without any changes.
const SWEEP_EVERY: Duration = Duration::from_secs(10 * 60);
/// How long a round waits for changes.
const LONGEST_WAIT: Duration = Duration::from_millis(500);
/// How often the position is saved while nothing changes. The server keeps only a part of the past, so an old position
/// would become useless.
const SAVE_EVERY: Duration = Duration::from_secs(10);

/// The state of a process that holds the lease of this work.
pub struct StockWatch {
    planner: Planner,
    changes: ProductChanges,
    /// Products that must be looked at again.
    unsettled: Vec<ProductId>,
    /// The time of the last sweep; `None` before the first one.
    swept_at: Option<Timestamp>,
    position: Option<Position>,
    saved_at: Instant,
}

/// Compares all carts with the stock once, without following changes. Returns whether there may be more to do.
pub async fn catch_up(app: &App) -> Result<bool, StoreError> {
    redistribution::finish_plans(app).await?;
    let mut planner = app.store.plans.planner_without_lease().await?;
    let unsettled = redistribution::redistribute(app, &mut planner, None).await?;
    Ok(!unsettled.is_empty())
}

impl StockWatch {
    /// Opens the stream where the holder before stopped; `None` if another process holds the lease by now.
    ///
    /// The stream is opened before the first sweep. A change in between is therefore seen by at least one of the two.
    pub async fn begin(app: &App, lease: Lease) -> Result<Option<Self>, Interrupted> {
        let Some(planner) = app.store.plans.planner_for_lease(lease).await? else { return Ok(None) };
        let position = app.store.leases.position(lease.worker).await?;
        let changes = app.store.product_watch.open(position.as_ref()).await?;
        redistribution::finish_plans(app).await?;
        let (unsettled, swept_at, saved_at) = (Vec::new(), None, Instant::now());
        Ok(Some(Self { planner, changes, unsettled, swept_at, position, saved_at }))
    }

    /// Does one round: waits for changes and handles them, or sweeps if it is time. Returns `false` if another process
    /// holds the lease by now.
    pub async fn go_on(&mut self, app: &App, lease: Lease) -> Result<bool, Interrupted> {
        let is_sweep_due = self.must_sweep(app.clock.now());
        let has_work = is_sweep_due || !self.unsettled.is_empty();
        let batch = self.changes.next_batch(if has_work { Duration::ZERO } else { LONGEST_WAIT }).await?;
        let has_changes = !batch.products.is_empty();
        self.position = batch.position.or(self.position.take());
        let mut products = mem::take(&mut self.unsettled);
        products.extend(batch.products);
        if is_sweep_due {
            self.unsettled = redistribution::redistribute(app, &mut self.planner, None).await?;
            self.swept_at = Some(app.clock.now());
        } else if !products.is_empty() {
            self.unsettled = redistribution::redistribute(app, &mut self.planner, Some(&products)).await?;
        }
        self.save_position(app, lease, has_changes).await
    }

    fn must_sweep(&self, now: Timestamp) -> bool {
        self.swept_at.is_none_or(|swept_at| now >= swept_at.after(SWEEP_EVERY))
    }

    /// Saves the position after everything before it was handled. Returns `false` if another process holds the lease by
    /// now.
    ///
    /// Products that must be looked at again are not saved, because a process that takes over begins with a sweep.
    async fn save_position(&mut self, app: &App, lease: Lease, has_changes: bool) -> Result<bool, Interrupted> {
        if self.position.is_none() || !(has_changes || self.saved_at.elapsed() >= SAVE_EVERY) {
            return Ok(true);
        }
        self.saved_at = Instant::now();
        Ok(app.store.leases.save_position(lease, self.position.as_ref()).await?)
    }
}
