//! The outermost layer: the address of the caller, the request id, errors and panics as JSON, CORS, security headers
//! and the access log.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::{FutureExt, future};
use ipnet::IpNet;
use poem::{
    Endpoint, Middleware, Request, Response, Result,
    http::{HeaderMap, HeaderName, HeaderValue, Method, header},
};

use super::{access_log::LogLine, cors::Cors, errors, sound};
use crate::{
    api::access::{BearerNotice, ClientAddress, RequestId, SecondCookie},
    app::App,
    config::AppEnv,
    metrics::Calls,
    traces::Traces,
    values::{mask, net::Client},
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const NO_SNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const NOTHING_RUNS: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
const NO_REFERRER: HeaderValue = HeaderValue::from_static("no-referrer");
/// HTTPS only, for one year (RFC 6797). `includeSubDomains` is left out: other hosts of the domain may still need HTTP.
const ONLY_TLS: HeaderValue = HeaderValue::from_static("max-age=31536000");
const INVALID_TOKEN: HeaderValue = HeaderValue::from_static("Bearer error=\"invalid_token\"");

/// The outermost layer.
pub struct Edge {
    shared: Arc<Shared>,
}

struct Shared {
    cors: Cors,
    trusted_proxies: Vec<IpNet>,
    is_production: bool,
    calls: Calls,
    traces: Option<Arc<Traces>>,
    /// Whether the warning about an untrusted proxy was logged. It is logged once.
    told_of_proxy: AtomicBool,
    /// Whether the warning about a hop that is not an address was logged. It is logged once.
    told_of_hop: AtomicBool,
}

impl Edge {
    /// Creates a layer with the origins, trusted proxies, metrics and traces of the app.
    pub fn new(app: &App) -> Self {
        let config = &app.config;
        let shared = Shared {
            cors: Cors::new(&config.cors_allowed_origins),
            trusted_proxies: config.trusted_proxies.clone(),
            is_production: config.app_env == AppEnv::Production,
            calls: app.metrics.calls.clone(),
            traces: app.traces.clone(),
            told_of_proxy: AtomicBool::new(false),
            told_of_hop: AtomicBool::new(false),
        };
        Self { shared: Arc::new(shared) }
    }
}

impl<E: Endpoint> Middleware<E> for Edge {
    type Output = EdgeEndpoint<E>;

    fn transform(&self, inner: E) -> EdgeEndpoint<E> {
        EdgeEndpoint { inner, shared: Arc::clone(&self.shared) }
    }
}

/// The endpoint behind [`Edge`]. Its calls never return an error.
pub struct EdgeEndpoint<E> {
    inner: E,
    shared: Arc<Shared>,
}

impl<E: Endpoint> Endpoint for EdgeEndpoint<E> {
    type Output = Response;

    /// Not an `async fn`, as in all outer layers. The future of an `async fn` has room for the request and the inner
    /// future twice, and every layer around it would copy that.
    fn call(&self, mut request: Request) -> impl Future<Output = Result<Response>> + Send {
        let id = request_id(request.headers());
        let cors = &self.shared.cors;
        let origin = cors.allowed(request.headers());
        let client = self.shared.client(&request);
        let span = self.shared.traces.as_ref();
        let span = span.map(|traces| traces.begin(request.method().as_str(), &id, request.headers()));
        let line = LogLine::of(&request, client.ip, &id, &self.shared.calls, span);
        let is_production = self.shared.is_production;
        let notice = request.headers().contains_key(header::AUTHORIZATION).then(BearerNotice::default);
        if let Some(notice) = &notice {
            request.set_data(notice.clone());
        }
        let second_cookie = (request.method() == Method::POST).then(SecondCookie::default);
        if let Some(second_cookie) = &second_cookie {
            request.set_data(second_cookie.clone());
        }
        request.set_data(ClientAddress(client));
        request.set_data(RequestId(Arc::clone(&id)));
        // HEAD is handled as GET. hyper then leaves out the body of the answer and keeps its Content-Length.
        if request.method() == Method::HEAD {
            request.set_method(Method::GET);
        }
        let early = cors.preflight(&request).or_else(|| sound::fault(&request).map(|fault| fault.answer(&id)));
        let call = match early {
            Some(answer) => future::ready(answer).left_future(),
            None => errors::answered(|| self.inner.call(request), Arc::clone(&id)).right_future(),
        };
        call.map(move |mut response| {
            let headers = response.headers_mut();
            cors.add(headers, origin);
            if notice.is_some_and(|notice| notice.is_set()) {
                headers.insert(header::WWW_AUTHENTICATE, INVALID_TOKEN);
                headers.insert(header::CACHE_CONTROL, NO_STORE);
            }
            if let Some(line) = second_cookie.and_then(|cookie| cookie.line()) {
                headers.append(header::SET_COOKIE, line);
            }
            add_defaults(headers, is_production);
            if let Ok(id) = HeaderValue::from_str(&id) {
                headers.insert(REQUEST_ID, id);
            }
            line.answered(&response);
            Ok(response)
        })
    }
}

/// Adds the default security headers to an answer that doesn't set them itself.
///
/// An answer of the API is not a page. So nothing in it may run or load, and no page may embed it in a frame.
fn add_defaults(headers: &mut HeaderMap, is_production: bool) {
    headers.entry(header::X_CONTENT_TYPE_OPTIONS).or_insert(NO_SNIFF);
    headers.entry(header::CACHE_CONTROL).or_insert(NO_STORE);
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(NOTHING_RUNS);
    headers.entry(header::REFERRER_POLICY).or_insert(NO_REFERRER);
    if is_production {
        headers.entry(header::STRICT_TRANSPORT_SECURITY).or_insert(ONLY_TLS);
    }
}

impl Shared {
    fn client(&self, request: &Request) -> Client {
        let peer = request.remote_addr().as_socket_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
        let Some(forwarded_for) = forwarded_for(request.headers()) else {
            return Client { ip: peer.to_canonical(), is_known: true };
        };
        let client = Client::behind(peer, &forwarded_for, &self.trusted_proxies);
        let is_first = |told: &AtomicBool| !told.swap(true, Ordering::Relaxed);
        let is_peer = client.ip == peer.to_canonical();
        let peer = mask::ip(peer);
        if !client.is_known && is_first(&self.told_of_hop) {
            tracing::warn!(
                peer,
                "a hop of X-Forwarded-For is no address: such callers are not counted by their address"
            );
        } else if client.is_known && is_peer && is_first(&self.told_of_proxy) {
            tracing::warn!(peer, "X-Forwarded-For from a peer that TRUSTED_PROXIES doesn't name is not believed");
        }
        client
    }
}

/// Returns all lines of `X-Forwarded-For` as one list (RFC 9110, section 5.3), or `None` if they name no hop.
fn forwarded_for(headers: &HeaderMap) -> Option<String> {
    let lines: Vec<_> =
        headers.get_all("x-forwarded-for").into_iter().map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
    let hops = lines.join(",");
    hops.contains(|c: char| c != ',' && c != ' ').then_some(hops)
}

/// Returns the caller's id for the request if it is safe in logs and headers, otherwise a new id.
fn request_id(headers: &HeaderMap) -> Arc<str> {
    let given = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
    let sane = |id: &&str| {
        (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    given.filter(sane).map_or_else(|| bson::oid::ObjectId::new().to_hex().into(), Arc::from)
}
