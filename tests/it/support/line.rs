//! A plain connection on which a test decides exactly what is sent and when.

use std::time::{Duration, Instant};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A plain TCP connection to a server.
pub struct Line(TcpStream);

impl Line {
    /// Connects to a server from `127.0.0.1`.
    pub async fn open(url: &str) -> Self {
        Self::open_from(url, "127.0.0.1").await
    }

    /// Connects to a server at an address of this machine. The server then sees this address as the caller's.
    pub async fn open_from(url: &str, ip: &str) -> Self {
        let address = url.trim_start_matches("http://").replace("localhost", ip);
        Self(TcpStream::connect(address).await.expect("a connection"))
    }

    /// Sends a text. Returns false if the server has closed the connection.
    pub async fn say(&mut self, text: &str) -> bool {
        self.0.write_all(text.as_bytes()).await.is_ok()
    }

    /// Returns the next bytes that arrive, or an empty text if the server closes the connection.
    pub async fn hear(&mut self) -> String {
        let mut bytes = vec![0; 16 * 1024];
        let read = tokio::time::timeout(Duration::from_secs(20), self.0.read(&mut bytes)).await.expect("something");
        String::from_utf8_lossy(&bytes[..read.unwrap_or(0)]).into_owned()
    }

    /// Reads until the server closes the connection. Returns the number of bytes and how long that took.
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

    /// Returns the socket, for use with other protocols.
    pub fn into_inner(self) -> TcpStream {
        self.0
    }
}

/// Returns the head of a POST request with a JSON body of `length` bytes.
pub fn head_of(path: &str, length: usize) -> String {
    format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n")
}
