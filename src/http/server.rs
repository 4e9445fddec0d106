//! Listening, serving, and stopping without cutting anybody off.

use std::{
    future::Future,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use poem::{
    Server,
    http::uri::Scheme,
    listener::{Acceptor, AcceptorExt, BoxAcceptor, TcpAcceptor},
    web::{LocalAddr, RemoteAddr},
};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::router;
use crate::{app::App, services::catalogue};

/// How long requests may take to finish once the server is told to stop.
const DRAIN_LIMIT: Duration = Duration::from_secs(10);
/// How long to wait after a connection couldn't be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Connections that say nothing for so long are closed.
const IDLE_LIMIT: Duration = Duration::from_secs(75);

/// Sockets that are bound but not served yet.
pub struct Listeners {
    sockets: Vec<TcpListener>,
    address: SocketAddr,
}

impl Listeners {
    /// Binds `host` and `port` (0 takes a free one). For 127.0.0.1 also binds ::1, so that `localhost` works
    /// whichever of them a browser tries first; a machine without IPv6 does without.
    pub async fn bind(host: IpAddr, port: u16) -> io::Result<Self> {
        let first = TcpListener::bind((host, port)).await?;
        let address = first.local_addr()?;
        let mut sockets = vec![first];
        if host == Ipv4Addr::LOCALHOST {
            match TcpListener::bind((Ipv6Addr::LOCALHOST, address.port())).await {
                Ok(second) => sockets.push(second),
                Err(error) => tracing::debug!(%error, "not listening on ::1"),
            }
        }
        Ok(Self { sockets, address })
    }

    /// Where the first socket listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL to tell people: a page on localhost:3000 is same-site with localhost, and not with 127.0.0.1.
    pub fn url(&self) -> String {
        let port = self.address.port();
        match self.address.ip() {
            ip if ip.is_loopback() || ip.is_unspecified() => format!("http://localhost:{port}"),
            IpAddr::V4(ip) => format!("http://{ip}:{port}"),
            IpAddr::V6(ip) => format!("http://[{ip}]:{port}"),
        }
    }

    fn acceptor(self) -> io::Result<BoxAcceptor> {
        let mut acceptors = self.sockets.into_iter().map(|socket| TcpAcceptor::from_tokio(socket).map(PatientAcceptor));
        let first = acceptors.next().ok_or_else(|| io::Error::other("no socket"))??.boxed();
        acceptors.try_fold(first, |all, next| Ok(all.combine(next?).boxed()))
    }
}

/// Serves until `stop`, then stops accepting and lets what runs finish, for 10 seconds at most.
pub async fn serve(app: Arc<App>, listeners: Listeners, stop: impl Future<Output = ()>) -> io::Result<()> {
    let tasks = app.tasks.clone();
    let following = CancellationToken::new();
    let follower = tokio::spawn(catalogue::follow(Arc::clone(&app), following.clone()));
    let server = Server::new_with_acceptor(listeners.acceptor()?).idle_timeout(IDLE_LIMIT);
    let mut stopped_at = None;
    let stop = async {
        stop.await;
        stopped_at = Some(Instant::now());
    };
    server.run_with_graceful_shutdown(router(&app), stop, Some(DRAIN_LIMIT)).await?;
    tasks.close();
    let left = DRAIN_LIMIT.saturating_sub(stopped_at.map_or(Duration::ZERO, |at| at.elapsed()));
    if tokio::time::timeout(left, tasks.wait()).await.is_err() {
        tracing::warn!(left = tasks.len(), "stopped with calls under way");
    }
    following.cancel();
    follower.await.map_err(io::Error::other)
}

/// A socket that waits a moment after an error: where the process has no file descriptor left, the next try would fail
/// at once, again and again.
struct PatientAcceptor(TcpAcceptor);

impl Acceptor for PatientAcceptor {
    type Io = TcpStream;

    fn local_addr(&self) -> Vec<LocalAddr> {
        self.0.local_addr()
    }

    async fn accept(&mut self) -> io::Result<(TcpStream, LocalAddr, RemoteAddr, Scheme)> {
        let accepted = self.0.accept().await;
        match &accepted {
            // Answers are written whole: waiting for more to send only delays them.
            Ok((stream, ..)) => stream.set_nodelay(true)?,
            Err(error) => {
                tracing::warn!(%error, "a connection can't be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
        accepted
    }
}
