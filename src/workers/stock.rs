//! Keeps carts to the stock: follows the changes of products, whoever made them, and sweeps all carts at the start of
//! its turn, after changes that were missed, and every ten minutes (U4, U5).

use std::{
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{Round, Shift};
use crate::{
    app::App,
    carts::{
        redistribution,
        store::{
            plans::Planner,
            stock_changes::{Interrupted, ProductChanges},
        },
    },
    db::{StoreError, leases::Lease, position::Position},
    values::{ids::ProductId, time::Timestamp},
};

/// How often all carts are compared with the stock, changes or not.
const SWEEP_EVERY: Duration = Duration::from_secs(10 * 60);
/// How long a round waits for changes.
const WAIT: Duration = Duration::from_millis(500);
/// How often the position is saved while nothing happens, so that it doesn't grow older than the server's memory.
const SAVE_EVERY: Duration = Duration::from_secs(10);

/// What is kept while the lease is held.
pub(super) struct Following {
    planner: Planner,
    changes: ProductChanges,
    /// Products that must be looked at again.
    unsettled: Vec<ProductId>,
    /// `None` before the first sweep.
    swept_at: Option<Timestamp>,
    position: Option<Position>,
    saved_at: Instant,
}

/// Handles what has changed, or waits for it a moment. Without a lease it does what is due, and follows nothing.
pub(super) async fn round(app: &Arc<App>, shift: &mut Shift) -> Result<Round, StoreError> {
    let Some(lease) = shift.lease else { return catch_up(app).await };
    match follow(app, lease, &mut shift.following).await {
        Ok(true) => Ok(Round::Busy),
        Ok(false) => Ok(Round::Relieved),
        Err(Interrupted::Store(error)) => Err(error),
        Err(Interrupted::Lost(reason)) => {
            shift.following = None;
            forget(app, lease, &reason).await
        }
    }
}

async fn catch_up(app: &App) -> Result<Round, StoreError> {
    redistribution::finish(app).await?;
    let unsettled = redistribution::settle(app, &mut app.store.plans.planner().await?, None).await?;
    Ok(if unsettled.is_empty() { Round::Idle } else { Round::Busy })
}

/// False when somebody else has the lease by now.
async fn follow(app: &App, lease: Lease, following: &mut Option<Following>) -> Result<bool, Interrupted> {
    if following.is_none() {
        *following = Following::begin(app, lease).await?;
    }
    match following {
        Some(following) => following.go_on(app, lease).await,
        None => Ok(false),
    }
}

/// The next round begins with the stream as it is then, and a sweep.
async fn forget(app: &App, lease: Lease, reason: &str) -> Result<Round, StoreError> {
    tracing::warn!(%reason, "changes of products were missed: all carts are compared with the stock");
    let held = app.store.leases.save_position(lease, None).await?;
    Ok(if held { Round::Idle } else { Round::Relieved })
}

impl Following {
    /// The stream is opened before the first sweep: what changes meanwhile is in one of the two.
    async fn begin(app: &App, lease: Lease) -> Result<Option<Self>, Interrupted> {
        let Some(planner) = app.store.plans.planner_of(lease).await? else { return Ok(None) };
        let position = app.store.leases.position(lease.worker).await?;
        let changes = app.store.product_watch.open(position.as_ref()).await?;
        redistribution::finish(app).await?;
        let (unsettled, swept_at, saved_at) = (Vec::new(), None, Instant::now());
        Ok(Some(Self { planner, changes, unsettled, swept_at, position, saved_at }))
    }

    /// False when somebody else has the lease by now.
    async fn go_on(&mut self, app: &App, lease: Lease) -> Result<bool, Interrupted> {
        let sweeping = self.is_sweep_due(app.clock.now());
        let wait = if sweeping || !self.unsettled.is_empty() { Duration::ZERO } else { WAIT };
        let batch = self.changes.next_batch(wait).await?;
        let changed = !batch.products.is_empty();
        self.position = batch.position.or(self.position.take());
        let mut due = mem::take(&mut self.unsettled);
        due.extend(batch.products);
        if sweeping {
            self.unsettled = redistribution::settle(app, &mut self.planner, None).await?;
            self.swept_at = Some(app.clock.now());
        } else if !due.is_empty() {
            self.unsettled = redistribution::settle(app, &mut self.planner, Some(&due)).await?;
        }
        self.save(app, lease, changed).await
    }

    fn is_sweep_due(&self, now: Timestamp) -> bool {
        self.swept_at.is_none_or(|swept_at| now >= swept_at.after(SWEEP_EVERY))
    }

    /// Saves the position once all before it is handled. Products that must be looked at again are not in it: whoever
    /// takes over sweeps.
    async fn save(&mut self, app: &App, lease: Lease, changed: bool) -> Result<bool, Interrupted> {
        if self.position.is_none() || !(changed || self.saved_at.elapsed() >= SAVE_EVERY) {
            return Ok(true);
        }
        self.saved_at = Instant::now();
        Ok(app.store.leases.save_position(lease, self.position.as_ref()).await?)
    }
}
