//! The connections, each from its opening to its end.

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
    answer::{AnswerBody, Call},
    pulse::{Pulse, Verdict},
    socket::Socket,
};
use crate::{
    app::App,
    config::Bounds,
    http::{intake::Intake, places::Place, shares::Share},
};

/// The time that an idle connection has to end after it was asked to. Then it is cut off.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);
/// The number of bytes of one request body that HTTP/2 accepts before a handler has read them.
const STREAM_WINDOW: u32 = 128 * 1024;
/// The same for all requests of one connection together.
const CONNECTION_WINDOW: u32 = 256 * 1024;
const CLOSE: HeaderValue = HeaderValue::from_static("close");

type Handler = Arc<dyn DynEndpoint<Output = Response>>;

/// Whether a connection was asked to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    NotAsked,
    /// It ends after the calls in progress. They may take as long as the stop of the server allows.
    AfterItsCalls,
    /// It had no calls in progress. It is cut off if it is still open at this time.
    CutOffAt(Instant),
}

/// The next step with a connection, after it was checked.
enum NextStep {
    CutOff,
    /// Check it again after this time.
    Wait(Duration),
    /// Ask it to end in this way, and check it again after this time.
    AskToEnd(Ending, Duration),
}

/// All open connections of one router.
pub struct Connections {
    shared: Arc<Shared>,
    tasks: TaskTracker,
}

struct Shared {
    handler: Handler,
    builder: Builder<TokioExecutor>,
    bounds: Bounds,
    /// Set when the server is stopping. Answers over HTTP/1 then carry `Connection: close`.
    stopping: CancellationToken,
    /// Set when the time for stopping is over. All connections are then cut off.
    cut_off: CancellationToken,
}

impl Connections {
    /// Creates an empty set of connections. `endpoint` will answer all requests.
    pub fn new(app: &App, endpoint: impl Endpoint<Output = Response> + 'static) -> Self {
        let bounds = app.config.bounds;
        let mut builder = Builder::new(TokioExecutor::new());
        // The time for a head is watched by `Pulse`. hyper's own timer would also run between two requests.
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
            cut_off: CancellationToken::new(),
        };
        Self { shared: Arc::new(shared), tasks: TaskTracker::new() }
    }

    /// Starts a task that serves a connection until it ends. After `closed` is set, it ends with its calls in progress.
    pub fn open(&self, stream: TcpStream, share: Share, closed: CancellationToken) {
        let shared = Arc::clone(&self.shared);
        self.tasks.spawn(async move {
            shared.serve(stream, &closed).await;
            drop(share);
        });
    }

    /// Waits until all connections have ended, and cuts off those that are still open after `limit`.
    pub async fn finish(&self, limit: Duration) {
        self.tasks.close();
        if tokio::time::timeout(limit, self.tasks.wait()).await.is_err() {
            tracing::warn!(left = self.tasks.len(), "stopped with connections open");
            self.shared.cut_off.cancel();
            self.tasks.wait().await;
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
        let mut ending = Ending::NotAsked;
        let mut next_check = pin!(tokio::time::sleep(Duration::ZERO));
        loop {
            let wait = tokio::select! {
                biased;
                // It doesn't matter how the connection ended: its callers are gone.
                _ = connection.as_mut() => return,
                () = self.cut_off.cancelled() => return,
                () = closed.cancelled(), if ending == Ending::NotAsked => {
                    ending = Ending::AfterItsCalls;
                    connection.as_mut().graceful_shutdown();
                    continue;
                }
                () = next_check.as_mut() => match self.next_step(&pulse, ending) {
                    NextStep::CutOff => return,
                    NextStep::Wait(wait) => wait,
                    NextStep::AskToEnd(way, wait) => {
                        ending = way;
                        connection.as_mut().graceful_shutdown();
                        wait
                    }
                },
            };
            next_check.as_mut().reset(Instant::now() + wait);
        }
    }

    /// Decides what to do with a connection, which may already have been asked to end.
    fn next_step(&self, pulse: &Pulse, ending: Ending) -> NextStep {
        if matches!(ending, Ending::CutOffAt(at) if Instant::now() >= at) {
            return NextStep::CutOff;
        }
        let wait = match pulse.verdict() {
            Verdict::CutOff => return NextStep::CutOff,
            Verdict::Close if ending == Ending::NotAsked => {
                return NextStep::AskToEnd(Ending::CutOffAt(Instant::now() + CLOSE_LIMIT), CLOSE_LIMIT);
            }
            Verdict::Close => CLOSE_LIMIT,
            Verdict::KeepOpen(wait) => wait,
        };
        if ending == Ending::NotAsked && self.stopping.is_cancelled() && pulse.is_http2() && pulse.has_served() {
            // GOAWAY: calls in progress are answered, and new calls use another connection (RFC 9113, section 6.8).
            return NextStep::AskToEnd(Ending::AfterItsCalls, wait);
        }
        NextStep::Wait(wait)
    }

    fn answer(
        &self,
        request: hyper::Request<Incoming>,
        local: Addr,
        peer: Addr,
        pulse: &Arc<Pulse>,
    ) -> impl Future<Output = Result<hyper::Response<AnswerBody>, Infallible>> + Send + use<> {
        let version = request.version();
        let call = Call::begin(Arc::clone(pulse), version);
        let poem_request = self.to_poem(request, LocalAddr(local), RemoteAddr(peer));
        let (handler, stopping) = (Arc::clone(&self.handler), self.stopping.clone());
        async move {
            let mut response = handler.get_response(poem_request).await;
            if stopping.is_cancelled() && version != Version::HTTP_2 {
                response.headers_mut().insert(header::CONNECTION, CLOSE);
            }
            let (parts, body) = hyper::Response::<BoxBody<_, _>>::from(response).into_parts();
            let place = parts.extensions.get::<Place>().cloned();
            Ok(hyper::Response::from_parts(parts, AnswerBody::new(body, call, place)))
        }
        .boxed()
    }

    /// Returns the request in the form in which poem handles it.
    fn to_poem(&self, request: hyper::Request<Incoming>, local: LocalAddr, peer: RemoteAddr) -> Request {
        let (head, incoming) = request.into_parts();
        let parts = RequestParts::from((head, local, peer, Scheme::HTTP));
        let body = match incoming.is_end_stream() {
            true => Body::empty(),
            false => BoxBody::new(Intake::new(incoming, self.bounds.patience)).into(),
        };
        Request::from_parts(parts, body)
    }
}
