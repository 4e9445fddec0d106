//! CORS (Fetch Standard, section 3.2).
//!
//! poem's own middleware answers 403 to other origins. Here they get the answer, but without the headers that let their
//! pages read it.

use std::collections::HashSet;

use poem::{
    Request, Response,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
};

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE");
const REQUEST_HEADERS: HeaderValue = HeaderValue::from_static(
    "content-type, authorization, if-match, if-none-match, x-request-id, idempotency-key, traceparent",
);
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "X-Request-Id, Retry-After, ETag, Content-Disposition, RateLimit, RateLimit-Policy, Deprecation, Sunset, \
     WWW-Authenticate",
);
const MAX_AGE: HeaderValue = HeaderValue::from_static("86400");
const TRUE: HeaderValue = HeaderValue::from_static("true");
const ORIGIN: HeaderValue = HeaderValue::from_static("Origin");

/// The origins whose pages may read answers.
pub struct Cors {
    origins: HashSet<HeaderValue>,
}

impl Cors {
    /// Creates the list from origins in the form that browsers send, such as `https://shop.example.com`.
    pub fn new(origins: &[String]) -> Self {
        Self { origins: origins.iter().filter_map(|origin| HeaderValue::try_from(origin).ok()).collect() }
    }

    /// Returns the origin of the request if it is allowed.
    pub fn allowed(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        headers.get(header::ORIGIN).filter(|origin| self.origins.contains(*origin)).cloned()
    }

    /// Returns the answer to a CORS preflight request, or `None` for any other request.
    pub fn preflight(&self, request: &Request) -> Option<Response> {
        let headers = request.headers();
        let is_preflight = request.method() == Method::OPTIONS
            && headers.contains_key(header::ORIGIN)
            && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if !is_preflight {
            return None;
        }
        let mut response = Response::builder().status(StatusCode::NO_CONTENT).finish();
        if self.allowed(headers).is_some() {
            let headers = response.headers_mut();
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS);
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        }
        Some(response)
    }

    /// Adds `Vary: Origin` to an answer and, if `origin` is given, the headers that let its pages read the answer.
    pub fn add(&self, headers: &mut HeaderMap, origin: Option<HeaderValue>) {
        headers.append(header::VARY, ORIGIN);
        if let Some(origin) = origin {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        }
    }
}
