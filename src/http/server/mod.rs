//! Accepts connections, serves them, and stops without cutting off calls in progress.
//!
//! poem's own server sets few of hyper's limits and waits for ever for some connections; see decision 35.

mod answer;
mod connection;
mod descriptors;
mod listeners;
mod pulse;
mod socket;

use std::{
    future::Future,
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::net::{TcpListener, TcpStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::connection::Connections;
pub use self::listeners::Listeners;
use super::{
    metrics_router, router,
    shares::{Household, Share, ShareGauges, Shares},
};
use crate::{app::App, catalogue, config::MetricsHome};

/// The maximum time for requests to finish after the server has stopped accepting connections.
const FINISH_LIMIT: Duration = Duration::from_secs(10);
/// The last part of [`FINISH_LIMIT`]. No password hash is started in it, so that the refused callers get their answers.
const ANSWER_TIME: Duration = Duration::from_secs(2);
/// The maximum number of connections to a separate port for the metrics.
const METRICS_CONNECTIONS: usize = 16;
/// The pause after a connection couldn't be accepted. When the process has no file descriptor left, the next attempts
/// would fail at once, again and again.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stop` completes, and then stops in three steps:
///
/// 1. For `DRAIN_TIME`, everything is still served, but `/readyz` answers 503, so that a load balancer sends callers
///    elsewhere.
/// 2. No new connection is accepted. Calls in progress have 10 seconds to finish.
/// 3. Connections that are still open are cut off, and calls without a caller are no longer waited for.
///
/// Fails if the separate port for the metrics can't be bound.
pub async fn serve(app: Arc<App>, listeners: Listeners, stop: impl Future<Output = ()>) -> io::Result<()> {
    let following = CancellationToken::new();
    let follower = tokio::spawn(catalogue::follow(Arc::clone(&app), following.clone()));
    let (door, accepting) = (Door::main(&app), TaskTracker::new());
    for socket in listeners.sockets {
        accepting.spawn(Arc::clone(&door).accept(socket));
    }
    let metrics = Door::to_metrics(&app);
    if let MetricsHome::Own(address) = app.config.metrics {
        let listeners = Listeners::bind(address.ip(), address.port()).await?;
        tracing::info!("metrics are at {}/metrics", listeners.url());
        for socket in listeners.sockets {
            accepting.spawn(Arc::clone(&metrics).accept(socket));
        }
    }
    stop.await;
    app.stopping.cancel();
    tokio::time::sleep(app.config.bounds.drain_time).await;
    let stopped_at = Instant::now();
    door.closed.cancel();
    metrics.closed.cancel();
    // Calls that still wait for a password hash then have time to be refused.
    app.hasher.stop(stopped_at + FINISH_LIMIT - ANSWER_TIME);
    accepting.close();
    accepting.wait().await;
    tokio::join!(door.connections.finish(FINISH_LIMIT), metrics.connections.finish(FINISH_LIMIT));
    app.tasks.close();
    let left = FINISH_LIMIT.saturating_sub(stopped_at.elapsed());
    if tokio::time::timeout(left, app.tasks.wait()).await.is_err() {
        tracing::warn!(left = app.tasks.len(), "stopped with calls under way");
    }
    following.cancel();
    follower.await.map_err(io::Error::other)
}

/// Accepts the connections to one router, as many as there is room for.
struct Door {
    app: Arc<App>,
    room: Arc<Shares>,
    connections: Connections,
    closed: CancellationToken,
}

impl Door {
    /// Creates the door to the API and its pages.
    fn main(app: &Arc<App>) -> Arc<Self> {
        let bounds = &app.config.bounds;
        let total = descriptors::room_for(bounds.connections);
        // One address gets half of the connections at most, even if the process can open only a few.
        let for_one = bounds.connections_of_address.min(total / 2).max(1);
        let (held, refused) = (&app.metrics.held, &app.metrics.refused);
        let shown = ShareGauges { in_use: held.connections.clone(), refused: refused.connections.clone() };
        Self::new(app, Shares::new(total, 0, for_one, shown), Connections::new(app, router(app)))
    }

    /// Creates the door to the separate port for the metrics.
    fn to_metrics(app: &Arc<App>) -> Arc<Self> {
        let room = Shares::new(METRICS_CONNECTIONS, 0, METRICS_CONNECTIONS, ShareGauges::default());
        Self::new(app, room, Connections::new(app, metrics_router(app)))
    }

    fn new(app: &Arc<App>, room: Arc<Shares>, connections: Connections) -> Arc<Self> {
        Arc::new(Self { app: Arc::clone(app), room, connections, closed: CancellationToken::new() })
    }

    async fn accept(self: Arc<Self>, socket: TcpListener) {
        loop {
            let accepted = tokio::select! {
                accepted = socket.accept() => accepted,
                () = self.closed.cancelled() => return,
            };
            match accepted {
                Ok((stream, peer)) => {
                    // Without room, the connection is closed at once, so that its caller doesn't wait in vain.
                    if let Some(share) = self.admit(peer.ip()) {
                        self.open(stream, share);
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection can't be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// Returns the share of a new connection, or `None` if there is no room for it. A connection of a trusted proxy
    /// carries the calls of many callers, so it counts only in the total.
    fn admit(&self, ip: std::net::IpAddr) -> Option<Share> {
        let ip = ip.to_canonical();
        let is_proxy = self.app.config.trusted_proxies.iter().any(|net| net.contains(&ip));
        let household = (!is_proxy).then(|| Household::of(ip));
        self.room.take(household, 1, || false).ok()
    }

    fn open(&self, stream: TcpStream, share: Share) {
        // Answers are written in large pieces. Nagle's algorithm would only delay the last one.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection was lost as it was accepted");
            return;
        }
        self.connections.open(stream, share, self.closed.clone());
    }
}
