//! The sockets that the server listens on.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use tokio::net::TcpListener;

/// Sockets that are bound but not served yet.
pub struct Listeners {
    pub(super) sockets: Vec<TcpListener>,
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
}
