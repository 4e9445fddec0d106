//! A connection on which a test says exactly what it wants to, and when.

use std::time::{Duration, Instant};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A plain connection.
pub struct Line(TcpStream);

impl Line {
    /// Opens one to a server.
    pub async fn open(url: &str) -> Self {
        Self::open_from(url, "127.0.0.1").await
    }

    /// Opens one to a server, by one of the names of this machine: its own address is the same.
    pub async fn open_from(url: &str, ip: &str) -> Self {
        let address = url.trim_start_matches("http://").replace("localhost", ip);
        Self(TcpStream::connect(address).await.expect("a connection"))
    }

    /// Says something; the other side may have hung up.
    pub async fn say(&mut self, text: &str) -> bool {
        self.0.write_all(text.as_bytes()).await.is_ok()
    }

    /// Whatever comes first; nothing when the other side hangs up.
    pub async fn hear(&mut self) -> String {
        let mut bytes = vec![0; 16 * 1024];
        let read = tokio::time::timeout(Duration::from_secs(20), self.0.read(&mut bytes)).await.expect("something");
        String::from_utf8_lossy(&bytes[..read.unwrap_or(0)]).into_owned()
    }

    /// Everything until the other side hangs up, and how long that took.
    pub async fn hear_out(&mut self) -> (usize, Duration) {
        let (started, mut bytes, mut total) = (Instant::now(), vec![0; 256 * 1024], 0);
        loop {
            let read = tokio::time::timeout(Duration::from_secs(20), self.0.read(&mut bytes)).await;
            match read.expect("the other side hangs up") {
                Ok(0) | Err(_) => return (total, started.elapsed()),
                Ok(read) => total += read,
            }
        }
    }

    /// The socket itself, for other protocols.
    pub fn into_inner(self) -> TcpStream {
        self.0
    }
}

/// The head of a call with a JSON body of so many bytes.
pub fn head_of(path: &str, length: usize) -> String {
    format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n")
}
