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
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
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
    let (api, metrics, accepting) = (Acceptor::for_api(&app), Acceptor::for_metrics(&app), TaskTracker::new());
    api.start(listeners, &accepting);
    if let MetricsHome::Own(address) = app.config.metrics {
        let metrics_listeners = Listeners::bind(address.ip(), address.port()).await?;
        tracing::info!("metrics are at {}/metrics", metrics_listeners.url());
        metrics.start(metrics_listeners, &accepting);
    }
    stop.await;
    app.stopping.cancel();
    tokio::time::sleep(app.config.bounds.drain_time).await;
    finish_calls(&app, [api, metrics], accepting).await;
    following.cancel();
    follower.await.map_err(io::Error::other)
}

/// Stops accepting connections and waits for the calls in progress, for [`FINISH_LIMIT`] at most.
async fn finish_calls(app: &App, acceptors: [Arc<Acceptor>; 2], accepting: TaskTracker) {
    let stopped_at = Instant::now();
    for acceptor in &acceptors {
        acceptor.closed.cancel();
    }
    // Calls that still wait for a password hash then have time to be refused.
    app.hasher.stop(stopped_at + FINISH_LIMIT - ANSWER_TIME);
    accepting.close();
    accepting.wait().await;
    join_all(acceptors.iter().map(|acceptor| acceptor.connections.finish(FINISH_LIMIT))).await;
    app.tasks.close();
    let time_left = FINISH_LIMIT.saturating_sub(stopped_at.elapsed());
    if tokio::time::timeout(time_left, app.tasks.wait()).await.is_err() {
        tracing::warn!(left = app.tasks.len(), "stopped with calls under way");
    }
}

/// Accepts the connections to one router, as many as there is room for.
struct Acceptor {
    app: Arc<App>,
    connection_shares: Arc<Shares>,
    connections: Connections,
    /// Set when no more connections are accepted.
    closed: CancellationToken,
}

impl Acceptor {
    /// Creates the acceptor for the API and its pages.
    fn for_api(app: &Arc<App>) -> Arc<Self> {
        let bounds = &app.config.bounds;
        let total = descriptors::room_for(bounds.connections);
        // One address gets half of the connections at most, even if the process can open only a few.
        let limit_per_address = bounds.connections_of_address.min(total / 2).max(1);
        let (held, refused) = (&app.metrics.held, &app.metrics.refused);
        let gauges = ShareGauges { in_use: held.connections.clone(), refused: refused.connections.clone() };
        Self::new(app, Shares::new(total, 0, limit_per_address, gauges), Connections::new(app, router(app)))
    }

    /// Creates the acceptor for the separate port for the metrics.
    fn for_metrics(app: &Arc<App>) -> Arc<Self> {
        let shares = Shares::new(METRICS_CONNECTIONS, 0, METRICS_CONNECTIONS, ShareGauges::default());
        Self::new(app, shares, Connections::new(app, metrics_router(app)))
    }

    fn new(app: &Arc<App>, connection_shares: Arc<Shares>, connections: Connections) -> Arc<Self> {
        Arc::new(Self { app: Arc::clone(app), connection_shares, connections, closed: CancellationToken::new() })
    }

    /// Starts a task for each socket, which accepts its connections until the acceptor is closed.
    fn start(self: &Arc<Self>, listeners: Listeners, tasks: &TaskTracker) {
        for socket in listeners.sockets {
            tasks.spawn(Arc::clone(self).accept(socket));
        }
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
                    if let Some(share) = self.take_share(peer.ip()) {
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
    fn take_share(&self, peer: IpAddr) -> Option<Share> {
        let ip = peer.to_canonical();
        let is_proxy = self.app.config.trusted_proxies.iter().any(|net| net.contains(&ip));
        let household = (!is_proxy).then(|| Household::of(ip));
        self.connection_shares.take(household, 1, || false).ok()
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
