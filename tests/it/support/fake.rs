//! The common part of the fake services. Each fake is a real HTTP server on its own port.

use poem::{
    Endpoint, Server,
    listener::{Acceptor, Listener, TcpListener},
};

/// Starts a server that runs until the tests end. Returns its base URL, without a final slash.
pub async fn serve_fake(routes: impl Endpoint + 'static) -> String {
    let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.expect("a free port");
    let address = acceptor.local_addr()[0].to_string().replace("socket://", "");
    tokio::spawn(Server::new_with_acceptor(acceptor).run(routes));
    format!("http://{address}")
}
