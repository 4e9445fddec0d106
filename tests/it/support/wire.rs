//! A network connection that can be cut. Afterwards no data passes, but neither side gets an error.

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::CancellationToken;

/// A proxy for TCP connections to one server.
pub struct Wire {
    /// The address to connect to, as `host:port`.
    pub address: String,
    cut: CancellationToken,
}

impl Wire {
    /// Starts a proxy to `target`, which is `host:port`.
    pub async fn to(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let cut = CancellationToken::new();
        let ends = cut.clone();
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let (target, cut) = (target.clone(), ends.clone());
                tokio::spawn(async move {
                    let carry = async {
                        let mut far = TcpStream::connect(target).await?;
                        copy_bidirectional(&mut near, &mut far).await
                    };
                    tokio::select! {
                        biased;
                        // Both connections stay open.
                        () = cut.cancelled() => std::future::pending().await,
                        _ = carry => {}
                    }
                });
            }
        });
        Self { address, cut }
    }

    /// Stops all data in both directions.
    pub fn cut(&self) {
        self.cut.cancel();
    }
}
