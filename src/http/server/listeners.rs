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
    /// Binds `host` and `port`; port 0 takes a free port. For 127.0.0.1 it also binds ::1, so that `localhost` works no
    /// matter which of them a browser tries first. A failure to bind ::1 is ignored, as on a machine without IPv6.
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

    /// Returns the address of the first socket.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the URL to show to people. It says `localhost` where possible, because a page on localhost:3000 is
    /// same-site with localhost but not with 127.0.0.1.
    pub fn url(&self) -> String {
        let port = self.address.port();
        match self.address.ip() {
            ip if ip.is_loopback() || ip.is_unspecified() => format!("http://localhost:{port}"),
            IpAddr::V4(ip) => format!("http://{ip}:{port}"),
            IpAddr::V6(ip) => format!("http://[{ip}]:{port}"),
        }
    }
}
