//! Accepting connections, serving them, and stopping without cutting anybody off.
//!
//! poem's own server sets few of hyper's bounds and waits for ever for some connections; see decision 35.

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
    shares::{Household, Share, Shares, Shown},
};
use crate::{app::App, catalogue, config::MetricsHome};

/// How long requests may take to finish once nothing new is accepted.
const FINISH_LIMIT: Duration = Duration::from_secs(10);
/// How long before that limit nothing slow is begun any more.
const ANSWER_TIME: Duration = Duration::from_secs(2);
/// Connections of those who read the metrics, where they have a port of their own.
const METRICS_CONNECTIONS: usize = 16;
/// How long to wait after a connection couldn't be accepted: where the process has no file descriptor left, the next try
/// would fail at once, again and again.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stop`, then for `DRAIN_TIME` longer while `/readyz` sends callers elsewhere; then accepts nothing more
/// and lets what runs finish, for 10 seconds at most.
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
    // What waits for its hash then has time to be told.
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

/// Lets connections in, as many as there is room for.
struct Door {
    app: Arc<App>,
    room: Arc<Shares>,
    connections: Connections,
    closed: CancellationToken,
}

impl Door {
    /// The door to everything.
    fn main(app: &Arc<App>) -> Arc<Self> {
        let bounds = &app.config.bounds;
        let total = descriptors::room_for(bounds.connections);
        // Even where there are few, one address must leave some to others.
        let for_one = bounds.connections_of_address.min(total / 2).max(1);
        let (held, refused) = (&app.metrics.held, &app.metrics.refused);
        let shown = Shown { in_use: held.connections.clone(), refused: refused.connections.clone() };
        Self::new(app, Shares::new(total, 0, for_one, shown), Connections::new(app, router(app)))
    }

    /// The door to the metrics alone.
    fn to_metrics(app: &Arc<App>) -> Arc<Self> {
        let room = Shares::new(METRICS_CONNECTIONS, 0, METRICS_CONNECTIONS, Shown::default());
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
                    // A connection without room is closed at once, so that its caller doesn't wait for nothing.
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

    fn admit(&self, ip: std::net::IpAddr) -> Option<Share> {
        let ip = ip.to_canonical();
        let is_proxy = self.app.config.trusted_proxies.iter().any(|net| net.contains(&ip));
        let household = (!is_proxy).then(|| Household::of(ip));
        self.room.take(household, 1, || false).ok()
    }

    fn open(&self, stream: TcpStream, share: Share) {
        // Answers are written whole: waiting for more to send only delays them.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection was lost as it was accepted");
            return;
        }
        self.connections.open(stream, share, self.closed.clone());
    }
}
