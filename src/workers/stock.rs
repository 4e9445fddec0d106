//! Reduces the lines of carts to the stock. The work itself is in `carts/stock_watch.rs`.

use std::sync::Arc;

use super::{RoundOutcome, WorkerState};
use crate::{
    app::App,
    carts::{
        Interrupted,
        stock_watch::{self, StockWatch},
    },
    db::{StoreError, leases::Lease},
};

/// Handles the changes that have arrived, or waits for changes for a moment. Without a lease, compares all carts with
/// the stock once and follows no changes.
pub(super) async fn round(app: &Arc<App>, state: &mut WorkerState) -> Result<RoundOutcome, StoreError> {
    let Some(lease) = state.lease else {
        return Ok(if stock_watch::catch_up(app).await? { RoundOutcome::MoreToDo } else { RoundOutcome::NothingToDo });
    };
    match follow(app, lease, &mut state.stock_watch).await {
        Ok(true) => Ok(RoundOutcome::MoreToDo),
        Ok(false) => Ok(RoundOutcome::LeaseLost),
        Err(Interrupted::Store(error)) => Err(error),
        Err(Interrupted::Lost(reason)) => {
            state.stock_watch = None;
            forget_position(app, lease, &reason).await
        }
    }
}

/// Starts or continues to follow the changes. Returns false if another instance has the lease now.
async fn follow(app: &App, lease: Lease, watch: &mut Option<StockWatch>) -> Result<bool, Interrupted> {
    if watch.is_none() {
        *watch = StockWatch::begin(app, lease).await?;
    }
    match watch {
        Some(watch) => watch.go_on(app, lease).await,
        None => Ok(false),
    }
}

/// Forgets the position after changes were missed. The next round opens a new stream and sweeps all carts.
async fn forget_position(app: &App, lease: Lease, reason: &str) -> Result<RoundOutcome, StoreError> {
    tracing::warn!(%reason, "changes of products were missed: all carts are compared with the stock");
    let is_saved = app.store.leases.save_position(lease, None).await?;
    Ok(if is_saved { RoundOutcome::NothingToDo } else { RoundOutcome::LeaseLost })
}
