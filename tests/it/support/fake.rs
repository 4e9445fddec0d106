//! What the fakes of outside services have in common: each is a real server on a port of its own.

use poem::{
    Endpoint, Server,
    listener::{Acceptor, Listener, TcpListener},
};

/// Serves until the tests end; returns where, without a final slash.
pub async fn serve_fake(routes: impl Endpoint + 'static) -> String {
    let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.expect("a free port");
    let address = acceptor.local_addr()[0].to_string().replace("socket://", "");
    tokio::spawn(Server::new_with_acceptor(acceptor).run(routes));
    format!("http://{address}")
}
