//! One connection from its opening to its end.

use std::{convert::Infallible, pin::pin, sync::Arc, time::Duration};

use futures_util::FutureExt;
use http_body_util::combinators::BoxBody;
use hyper::{
    body::{Body as _, Incoming},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use poem::{
    Addr, Body, Endpoint, Request, RequestParts, Response,
    endpoint::{DynEndpoint, ToDynEndpoint},
    http::{HeaderValue, Version, header, uri::Scheme},
    web::{LocalAddr, RemoteAddr},
};
use tokio::{net::TcpStream, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    answer::{Answer, Call},
    pulse::{Pulse, Verdict},
    socket::Socket,
};
use crate::{
    app::App,
    config::Bounds,
    http::{intake::Intake, places::Place, shares::Share},
};

/// A connection that was told to end and doesn't is cut off after this.
const CUT_AFTER: Duration = Duration::from_secs(5);
/// HTTP/2 takes so many bytes of a body before anybody has read them: of one request, and of a connection.
const STREAM_WINDOW: u32 = 128 * 1024;
const CONNECTION_WINDOW: u32 = 256 * 1024;
const CLOSE: HeaderValue = HeaderValue::from_static("close");

type Handler = Arc<dyn DynEndpoint<Output = Response>>;

/// Whether a connection was told to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    No,
    /// Its calls may take as long as the end of the server allows.
    WithItsCalls,
    /// Nothing was under way; by then it is cut off.
    By(Instant),
}

/// What is to be done with a connection.
enum Look {
    Cut,
    Wait(Duration),
    /// It is told to end in this way, and looked at again after this.
    End(Ending, Duration),
}

/// All connections that are open.
pub struct Connections {
    shared: Arc<Shared>,
    open: TaskTracker,
}

struct Shared {
    handler: Handler,
    builder: Builder<TokioExecutor>,
    bounds: Bounds,
    /// Answers say that the connection ends with them.
    stopping: CancellationToken,
    /// Nothing is waited for any more.
    cut: CancellationToken,
}

impl Connections {
    /// None yet; `endpoint` answers all requests.
    pub fn new(app: &App, endpoint: impl Endpoint<Output = Response> + 'static) -> Self {
        let bounds = app.config.bounds;
        let mut builder = Builder::new(TokioExecutor::new());
        // How long a head takes is watched here: hyper's own clock would also run between two requests.
        builder.http1().max_buf_size(bounds.header_bytes as usize).header_read_timeout(None);
        builder
            .http2()
            .max_concurrent_streams(bounds.streams)
            .max_header_list_size(bounds.header_bytes)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW);
        let shared = Shared {
            handler: Arc::new(ToDynEndpoint(endpoint)),
            builder,
            bounds,
            stopping: app.stopping.clone(),
            cut: CancellationToken::new(),
        };
        Self { shared: Arc::new(shared), open: TaskTracker::new() }
    }

    /// Serves a connection until it ends, or `closed` and its calls have ended.
    pub fn open(&self, stream: TcpStream, share: Share, closed: CancellationToken) {
        let shared = Arc::clone(&self.shared);
        self.open.spawn(async move {
            shared.serve(stream, &closed).await;
            drop(share);
        });
    }

    /// Waits until all have ended, and cuts off those that don't.
    pub async fn finish(&self, limit: Duration) {
        self.open.close();
        if tokio::time::timeout(limit, self.open.wait()).await.is_err() {
            tracing::warn!(left = self.open.len(), "stopped with connections open");
            self.shared.cut.cancel();
            self.open.wait().await;
        }
    }
}

impl Shared {
    async fn serve(self: Arc<Self>, stream: TcpStream, closed: &CancellationToken) {
        let (Ok(local), Ok(peer)) = (stream.local_addr(), stream.peer_addr()) else { return };
        let pulse = Arc::new(Pulse::new(self.bounds));
        let io = TokioIo::new(Socket::new(stream, Arc::clone(&pulse)));
        let service =
            service_fn(|request| self.answer(request, Addr::SocketAddr(local), Addr::SocketAddr(peer), &pulse));
        let mut connection = pin!(self.builder.serve_connection(io, service));
        let mut ending = Ending::No;
        let mut watch = pin!(tokio::time::sleep(Duration::ZERO));
        loop {
            let wait = tokio::select! {
                biased;
                // Whatever ended it, its callers are gone.
                _ = connection.as_mut() => return,
                () = self.cut.cancelled() => return,
                () = closed.cancelled(), if ending == Ending::No => {
                    ending = Ending::WithItsCalls;
                    connection.as_mut().graceful_shutdown();
                    continue;
                }
                () = watch.as_mut() => match self.look(&pulse, ending) {
                    Look::Cut => return,
                    Look::Wait(wait) => wait,
                    Look::End(new, wait) => {
                        ending = new;
                        connection.as_mut().graceful_shutdown();
                        wait
                    }
                },
            };
            watch.as_mut().reset(Instant::now() + wait);
        }
    }

    /// Looks after a connection that may be on its way out already.
    fn look(&self, pulse: &Pulse, ending: Ending) -> Look {
        if matches!(ending, Ending::By(at) if Instant::now() >= at) {
            return Look::Cut;
        }
        let wait = match pulse.verdict() {
            Verdict::Cut => return Look::Cut,
            Verdict::Finish if ending == Ending::No => {
                return Look::End(Ending::By(Instant::now() + CUT_AFTER), CUT_AFTER);
            }
            Verdict::Finish => CUT_AFTER,
            Verdict::GoOn(wait) => wait,
        };
        if ending == Ending::No && self.stopping.is_cancelled() && pulse.is_http2() && pulse.has_served() {
            // GOAWAY: what is under way is answered, and new calls go elsewhere (RFC 9113, section 6.8).
            return Look::End(Ending::WithItsCalls, wait);
        }
        Look::Wait(wait)
    }

    fn answer(
        &self,
        request: hyper::Request<Incoming>,
        local: Addr,
        peer: Addr,
        pulse: &Arc<Pulse>,
    ) -> impl Future<Output = Result<hyper::Response<Answer>, Infallible>> + Send + use<> {
        let version = request.version();
        let call = Call::begin(Arc::clone(pulse), version);
        let request = self.request(request, LocalAddr(local), RemoteAddr(peer));
        let (handler, stopping) = (Arc::clone(&self.handler), self.stopping.clone());
        async move {
            let mut response = handler.get_response(request).await;
            if stopping.is_cancelled() && version != Version::HTTP_2 {
                response.headers_mut().insert(header::CONNECTION, CLOSE);
            }
            let (parts, body) = hyper::Response::<BoxBody<_, _>>::from(response).into_parts();
            let place = parts.extensions.get::<Place>().cloned();
            Ok(hyper::Response::from_parts(parts, Answer::new(body, call, place)))
        }
        .boxed()
    }

    fn request(&self, request: hyper::Request<Incoming>, local: LocalAddr, peer: RemoteAddr) -> Request {
        let (parts, body) = request.into_parts();
        let parts = RequestParts::from((parts, local, peer, Scheme::HTTP));
        let body = match body.is_end_stream() {
            true => Body::empty(),
            false => BoxBody::new(Intake::new(body, self.bounds.patience)).into(),
        };
        Request::from_parts(parts, body)
    }
}
