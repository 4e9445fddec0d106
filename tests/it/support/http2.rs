//! HTTP/2 without TLS, as a proxy or an attacker uses it.

use bytes::Bytes;
use h2::{
    SendStream,
    client::{Builder, ResponseFuture, SendRequest},
};
use poem::http::{Method, Request};
use tokio::task::JoinHandle;

use super::Line;

/// Opens a connection on which each response may send `window` bytes before it has to wait.
///
/// Also returns a task that ends when the connection ends.
pub async fn connect(url: &str, window: u32) -> (SendRequest<Bytes>, JoinHandle<()>) {
    let stream = Line::open(url).await.into_inner();
    let (calls, connection) = Builder::new().initial_window_size(window).handshake(stream).await.expect("HTTP/2");
    let ended = tokio::spawn(async {
        let _however_it_ends = connection.await;
    });
    (calls, ended)
}

/// Starts a call. With `has_body`, the caller sends the body through the returned stream.
pub async fn call(
    calls: SendRequest<Bytes>,
    method: Method,
    path: &str,
    has_body: bool,
) -> (SendRequest<Bytes>, ResponseFuture, SendStream<Bytes>) {
    let request = Request::builder().method(method).uri(format!("http://x{path}"));
    let request = request.header("content-type", "application/json").body(()).expect("a request");
    let mut calls = calls.ready().await.expect("room for a call");
    let (answer, body) = calls.send_request(request, !has_body).expect("a call");
    (calls, answer, body)
}
