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

use super::{access_log::LogLine, cors::Cors, errors, request_checks};
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
const NO_ACTIVE_CONTENT: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
const NO_REFERRER: HeaderValue = HeaderValue::from_static("no-referrer");
/// HTTPS only, for one year (RFC 6797). `includeSubDomains` is left out: other hosts of the domain may still need HTTP.
const HTTPS_ONLY: HeaderValue = HeaderValue::from_static("max-age=31536000");
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
    has_warned_of_proxy: AtomicBool,
    /// Whether the warning about a hop that is not an address was logged. It is logged once.
    has_warned_of_hop: AtomicBool,
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
            has_warned_of_proxy: AtomicBool::new(false),
            has_warned_of_hop: AtomicBool::new(false),
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
        let shared = &self.shared;
        let id = request_id(request.headers());
        let client = shared.client(&request);
        let log_line = shared.begin_log_line(&request, client, &id);
        let answer_headers = AnswerHeaders::prepare(&mut request, shared, Arc::clone(&id));
        request.set_data(ClientAddress(client));
        request.set_data(RequestId(Arc::clone(&id)));
        // HEAD is handled as GET. hyper then leaves out the body of the answer and keeps its Content-Length.
        if request.method() == Method::HEAD {
            request.set_method(Method::GET);
        }
        let preflight = shared.cors.preflight(&request);
        let early_answer = preflight.or_else(|| request_checks::find_fault(&request).map(|fault| fault.answer(&id)));
        let answer = match early_answer {
            Some(answer) => future::ready(answer).left_future(),
            None => errors::answer_of(|| self.inner.call(request), id).right_future(),
        };
        answer.map(move |mut response| {
            answer_headers.add_to(&shared.cors, response.headers_mut());
            log_line.finish(&response);
            Ok(response)
        })
    }
}

/// The headers that the answer to a request gets on its way out, as far as they follow from the request.
struct AnswerHeaders {
    request_id: Arc<str>,
    allowed_origin: Option<HeaderValue>,
    /// Set by the call if its bearer token is bad. Only a request with a token has it.
    bearer_notice: Option<BearerNotice>,
    /// Set by the call if it sets a second cookie. Only a `POST` has it.
    second_cookie: Option<SecondCookie>,
    is_production: bool,
}

impl AnswerHeaders {
    /// Takes the values from a request, and adds the notices to it that its call may set.
    fn prepare(request: &mut Request, shared: &Shared, request_id: Arc<str>) -> Self {
        let bearer_notice = request.headers().contains_key(header::AUTHORIZATION).then(BearerNotice::default);
        if let Some(notice) = &bearer_notice {
            request.set_data(notice.clone());
        }
        let second_cookie = (request.method() == Method::POST).then(SecondCookie::default);
        if let Some(cookie) = &second_cookie {
            request.set_data(cookie.clone());
        }
        let allowed_origin = shared.cors.allowed(request.headers());
        Self { request_id, allowed_origin, bearer_notice, second_cookie, is_production: shared.is_production }
    }

    fn add_to(self, cors: &Cors, headers: &mut HeaderMap) {
        cors.add(headers, self.allowed_origin);
        if self.bearer_notice.is_some_and(|notice| notice.is_set()) {
            headers.insert(header::WWW_AUTHENTICATE, INVALID_TOKEN);
            headers.insert(header::CACHE_CONTROL, NO_STORE);
        }
        if let Some(line) = self.second_cookie.and_then(|cookie| cookie.line()) {
            headers.append(header::SET_COOKIE, line);
        }
        add_defaults(headers, self.is_production);
        if let Ok(id) = HeaderValue::from_str(&self.request_id) {
            headers.insert(REQUEST_ID, id);
        }
    }
}

/// Adds the default security headers to an answer that doesn't set them itself.
///
/// An answer of the API is not a page. So nothing in it may run or load, and no page may embed it in a frame.
fn add_defaults(headers: &mut HeaderMap, is_production: bool) {
    headers.entry(header::X_CONTENT_TYPE_OPTIONS).or_insert(NO_SNIFF);
    headers.entry(header::CACHE_CONTROL).or_insert(NO_STORE);
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(NO_ACTIVE_CONTENT);
    headers.entry(header::REFERRER_POLICY).or_insert(NO_REFERRER);
    if is_production {
        headers.entry(header::STRICT_TRANSPORT_SECURITY).or_insert(HTTPS_ONLY);
    }
}

impl Shared {
    /// Begins the line of the access log, and with it the span of the call.
    fn begin_log_line(&self, request: &Request, client: Client, id: &Arc<str>) -> LogLine {
        let traces = self.traces.as_ref();
        let span = traces.map(|traces| traces.begin(request.method().as_str(), id, request.headers()));
        LogLine::begin(request, client.ip, id, &self.calls, span)
    }

    /// Returns the address that a request comes from. Logs the first one that can't be believed.
    fn client(&self, request: &Request) -> Client {
        let peer = request.remote_addr().as_socket_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |addr| addr.ip());
        let Some(forwarded_for) = forwarded_for(request.headers()) else {
            return Client { ip: peer.to_canonical(), is_known: true };
        };
        let client = Client::behind(peer, &forwarded_for, &self.trusted_proxies);
        let is_first = |has_warned: &AtomicBool| !has_warned.swap(true, Ordering::Relaxed);
        let is_peer = client.ip == peer.to_canonical();
        let masked_peer = mask::ip(peer);
        if !client.is_known && is_first(&self.has_warned_of_hop) {
            tracing::warn!(
                peer = masked_peer,
                "a hop of X-Forwarded-For is no address: such callers are not counted by their address"
            );
        } else if client.is_known && is_peer && is_first(&self.has_warned_of_proxy) {
            tracing::warn!(
                peer = masked_peer,
                "X-Forwarded-For from a peer that TRUSTED_PROXIES doesn't name is not believed"
            );
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
    let is_safe = |id: &&str| {
        (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    given.filter(is_safe).map_or_else(|| bson::oid::ObjectId::new().to_hex().into(), Arc::from)
}
