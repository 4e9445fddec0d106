//! The outermost layer: request id, errors and panics as JSON, CORS, safe headers, and one line in the access log.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use ipnet::IpNet;
use poem::{
    Endpoint, Middleware, Request, Response, Result,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
};

use super::{cors::Cors, errors};
use crate::{
    access::{ClientAddress, RequestId},
    domain::{mask, net},
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const NO_SNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// The layer.
pub struct Edge {
    shared: Arc<Shared>,
}

struct Shared {
    cors: Cors,
    trusted_proxies: Vec<IpNet>,
    told_of_proxy: AtomicBool,
}

impl Edge {
    /// A layer that lets the given origins read answers and believes the given proxies.
    pub fn new(cors: Cors, trusted_proxies: Vec<IpNet>) -> Self {
        Self { shared: Arc::new(Shared { cors, trusted_proxies, told_of_proxy: AtomicBool::new(false) }) }
    }
}

impl<E: Endpoint> Middleware<E> for Edge {
    type Output = EdgeEndpoint<E>;

    fn transform(&self, inner: E) -> EdgeEndpoint<E> {
        EdgeEndpoint { inner, shared: Arc::clone(&self.shared) }
    }
}

/// An endpoint inside the layer; it never fails.
pub struct EdgeEndpoint<E> {
    inner: E,
    shared: Arc<Shared>,
}

impl<E: Endpoint> Endpoint for EdgeEndpoint<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> Result<Response> {
        let id = request_id(request.headers());
        let cors = &self.shared.cors;
        let origin = cors.allowed(request.headers());
        let client = self.shared.client(&request);
        let line = LogLine::of(&request, client, &id);
        request.set_data(ClientAddress(client));
        request.set_data(RequestId(id.clone()));
        // hyper leaves out the body of an answer to HEAD and keeps its length.
        if request.method() == Method::HEAD {
            request.set_method(Method::GET);
        }
        let mut response = match cors.preflight(&request) {
            Some(preflight) => preflight,
            None => errors::answered(self.inner.call(request), &id).await,
        };
        let headers = response.headers_mut();
        cors.add(headers, origin);
        headers.entry(header::X_CONTENT_TYPE_OPTIONS).or_insert(NO_SNIFF);
        headers.entry(header::CACHE_CONTROL).or_insert(NO_STORE);
        line.answered(response.status());
        if let Ok(id) = HeaderValue::try_from(id) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        Ok(response)
    }
}

impl Shared {
    fn client(&self, request: &Request) -> IpAddr {
        let peer = request.remote_addr().as_socket_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
        let Some(forwarded_for) = forwarded_for(request.headers()) else { return peer.to_canonical() };
        let client = net::client(peer, &forwarded_for, &self.trusted_proxies);
        if client == peer.to_canonical() && !self.told_of_proxy.swap(true, Ordering::Relaxed) {
            let peer = mask::ip(peer);
            tracing::warn!(peer, "X-Forwarded-For from a peer that TRUSTED_PROXIES doesn't name is not believed");
        }
        client
    }
}

/// All lines of the header as one list (RFC 9110, section 5.3).
fn forwarded_for(headers: &HeaderMap) -> Option<String> {
    let lines: Vec<&str> =
        headers.get_all("x-forwarded-for").into_iter().filter_map(|line| line.to_str().ok()).collect();
    (!lines.is_empty()).then(|| lines.join(","))
}

/// The caller's id for the request if it is fit for logs and headers, else a new one.
fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
    let sane = |id: &&str| {
        (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    given.filter(sane).map_or_else(|| bson::oid::ObjectId::new().to_hex(), str::to_owned)
}

/// What the access log says of a request. Queries may hold anything, so they stay out. A request whose caller hangs up
/// is dropped before it is answered, and logged with the status that nginx uses for it.
struct LogLine {
    method: Method,
    path: String,
    client: String,
    request_id: String,
    started: Instant,
    status: u16,
}

const CALLER_LEFT: u16 = 499;

/// Paths that go on with the token of a link: as good as a password, so only their patterns are logged.
const LINK_PATHS: [&[&str]; 2] = [&["api", "request", "activate-staff"], &["api", "request", "reset", "check"]];

/// A path as it is logged. Slashes too many reach the same handler, so they are left out of the comparison.
fn logged(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match LINK_PATHS.iter().find(|link| parts.len() > link.len() && parts.starts_with(link)) {
        Some(link) => format!("/{}/{{uid}}/{{token}}/", link.join("/")),
        None => path.to_owned(),
    }
}

impl LogLine {
    fn of(request: &Request, client: IpAddr, request_id: &str) -> Self {
        Self {
            method: request.method().clone(),
            path: logged(request.uri().path()),
            client: mask::ip(client),
            request_id: request_id.to_owned(),
            started: Instant::now(),
            status: CALLER_LEFT,
        }
    }

    fn answered(mut self, status: StatusCode) {
        self.status = status.as_u16();
    }
}

impl Drop for LogLine {
    fn drop(&mut self) {
        let Self { method, path, client, request_id, started, status } = self;
        let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        let (method, path, client, request_id) = (method.as_str(), path.as_str(), client.as_str(), request_id.as_str());
        tracing::info!(target: "access", method, path, status, micros, client, request_id, "request");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_in_paths_are_not_logged() {
        for path in [
            "/api/request/reset/check/uid/token/",
            "//api/request//reset/check/uid/token",
            "/api/request/reset/check/token",
        ] {
            assert_eq!(logged(path), "/api/request/reset/check/{uid}/{token}/", "{path}");
        }
        assert_eq!(logged("/api/request/activate-staff/uid/token"), "/api/request/activate-staff/{uid}/{token}/");
        assert_eq!(logged("/api/utils/brands/"), "/api/utils/brands/");
    }
}
