//! Reduces the lines of carts to the stock. The work itself is in `carts/stock_watch.rs`.

use std::sync::Arc;

use super::{Round, Watch};
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
pub(super) async fn round(app: &Arc<App>, shift: &mut Watch) -> Result<Round, StoreError> {
    let Some(lease) = shift.lease else {
        return Ok(if stock_watch::catch_up(app).await? { Round::Busy } else { Round::Idle });
    };
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

/// Starts or continues to follow the changes. Returns false if another instance has the lease now.
async fn follow(app: &App, lease: Lease, following: &mut Option<StockWatch>) -> Result<bool, Interrupted> {
    if following.is_none() {
        *following = StockWatch::begin(app, lease).await?;
    }
    match following {
        Some(following) => following.go_on(app, lease).await,
        None => Ok(false),
    }
}

/// Forgets the position after changes were missed. The next round opens a new stream and sweeps all carts.
async fn forget(app: &App, lease: Lease, reason: &str) -> Result<Round, StoreError> {
    tracing::warn!(%reason, "changes of products were missed: all carts are compared with the stock");
    let held = app.store.leases.save_position(lease, None).await?;
    Ok(if held { Round::Idle } else { Round::Relieved })
}
